"""The command `stepmill preview`: a few problems through every dataset, before a round is paid for."""

from pathlib import Path
from typing import Annotated

import typer


def preview(
    settings: Annotated[Path | None, typer.Option(help="The settings file; by default Dagster's.")] = None,
    n: Annotated[int, typer.Option(min=1, help="Problems, spread over the sources.")] = 5,
    only: Annotated[
        list[str] | None, typer.Option(metavar="DATASET", help="Make this dataset; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed takes the same problems.")] = 0,
) -> None:
    """Make a few problems' rows of every dataset and show them, with what was dropped and what a round would cost.

    Nothing is released. Tables and rollouts are kept in the folder `preview` of the data root.
    """
    from rich.console import Console

    from dagster_project.commands.errors import explained
    from dagster_project.preview.making import make, order
    from dagster_project.preview.text import show
    from dagster_project.running.view import shown
    from dagster_project.settings.file import load_settings

    with explained():
        asked = order(load_settings(settings), n=n, seed=seed, only=only or ())
        log = asked.log
        typer.echo(f"Previewing under {asked.settings.data_root}; every event is in {log}")
        with shown(log) as listener:
            made = make(asked, listener, log)
    show(made, Console())
    if any(part.failed for part in made.datasets):
        raise typer.Exit(1)
