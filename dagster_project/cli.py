"""The command `stepmill`: the commands of `releases.cli`, and those in `dagster_project.commands`, a module for each.

Each command imports what it needs when it is called, Dagster too, so that `--help` is fast. Exit codes are those of
`releases.cli`.
"""

from typing import Annotated

import typer

from dagster_project.commands.check import check
from dagster_project.commands.compact import compact
from dagster_project.commands.init import init
from dagster_project.commands.loop import loop
from dagster_project.commands.plan import plan
from dagster_project.commands.preview import preview
from dagster_project.commands.releases import releases
from dagster_project.commands.rounds import rounds
from dagster_project.commands.run import run
from dagster_project.commands.status import status
from releases.cli import app as releases_app

app = typer.Typer(
    help="Set up, make and plan rounds; check, compare, copy and read released datasets.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(releases_app)
app.command()(init)
app.command()(check)
app.command()(preview)
app.command()(run)
app.command()(loop)
app.command()(rounds)
app.command()(status)
app.command()(releases)
app.command()(plan)
app.command()(compact)


def _print_version(is_wanted: bool) -> None:
    from importlib.metadata import version

    if is_wanted:
        typer.echo(f"stepmill {version('stepmill')}")
        raise typer.Exit


@app.callback()
def stepmill(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Declare the options that stand before a command."""


if __name__ == "__main__":
    app()
