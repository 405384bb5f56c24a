"""Errors of a command that the user can mend: one sentence on standard error, and exit code 2."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def explained() -> Iterator[None]:
    """Print such an error as one sentence, and exit with 2."""
    from dagster_project.overview import UnknownRound
    from dagster_project.preflight.report import CannotWork
    from dagster_project.running.home import NoHome
    from dagster_project.running.launching import CannotLaunch
    from dagster_project.running.selection import WrongSelection
    from dagster_project.settings.file import SettingsError
    from generators.engine.errors import EngineError
    from generators.problems.source import SourceError
    from generators.sampling.storage import StorageError
    from releases.door.text import visible
    from releases.errors import ReleaseError

    of_commands = (CannotLaunch, CannotWork, NoHome, UnknownRound, WrongSelection, SettingsError)
    try:
        yield
    except (*of_commands, SourceError, EngineError, StorageError, ReleaseError, OSError) as error:
        typer.echo(f"stepmill: {visible(str(error))}", err=True)
        raise typer.Exit(2) from error
