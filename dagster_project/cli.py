"""The command `stepmill`: what `releases.cli` does with releases, and `plan`, which says what a round would cost.

Loads what a command needs only when it is called. Exit codes are those of `releases.cli`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from releases.cli import app as releases_app

if TYPE_CHECKING:
    from dagster_project.planning import Plan

app = typer.Typer(
    help="Plan a round; check, compare, copy and read released datasets.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(releases_app)


@app.command()
def plan(
    settings: Annotated[Path | None, typer.Option(help="The settings file; left out, as Dagster finds it.")] = None,
    tokens_per_second: Annotated[
        float | None, typer.Option(min=0.001, help="What one GPU generates; left out, as past rounds measured it.")
    ] = None,
) -> None:
    """Say what the next round would cost, by the newest one: rollouts, tokens, GPU-hours, by asset and slice."""
    from dagster_project.planning import plan as forecast
    from dagster_project.resources.store import Store
    from dagster_project.settings.file import SettingsError, load_settings
    from generators.sampling.storage import StorageError

    try:
        loaded = load_settings(settings)
        made = forecast(loaded, Store(data_root=loaded.data_root))
    except (SettingsError, StorageError) as error:
        typer.echo(f"stepmill: {error}", err=True)
        raise typer.Exit(2) from error
    if not made.assets:
        typer.echo(
            f"stepmill: {loaded.data_root} has no past round of these sources to plan by: materialise one slice in the "
            "UI (or run `make demo`), then ask again",
            err=True,
        )
        raise typer.Exit(2)
    typer.echo(_told(made, tokens_per_second))


def _told(made: "Plan", tokens_per_second: float | None) -> str:
    """The forecast as tables, with what it does not cover."""
    from dagster_project.planning import gpu_hours
    from releases.comparison.text import text_table

    pace = tokens_per_second or made.tokens_per_second
    rows = [
        (one.slice, one.asset, f"{one.rollouts:.0f}", f"{one.tokens:.0f}", f"{gpu_hours(one.tokens, pace):.3f}")
        for one in made.assets
    ]
    total = ("all", "", f"{made.rollouts:.0f}", f"{made.tokens:.0f}", f"{gpu_hours(made.tokens, pace):.3f}")
    bases = sorted({f"{one.basis.slice} of round {one.basis.round}" for one in made.assets})
    lines = [
        text_table(("slice", "asset", "rollouts", "tokens", "GPU-hours"), [*rows, total]),
        f"at {pace:,.0f} tokens a second and GPU{'' if tokens_per_second else ', as measured'}; "
        f"by what {', '.join(bases)} cost",
    ]
    if made.unknown:
        lines.append(f"not planned, for want of a past slice (materialise one): {', '.join(made.unknown)}")
    return "\n\n".join(lines)
