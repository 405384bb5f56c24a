"""The command `stepmill plan`: what the next round will cost, by what the newest one did."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from releases.cli import print_json

if TYPE_CHECKING:
    from dagster_project.planning import Plan


def plan(
    settings: Annotated[Path | None, typer.Option(help="The settings file; by default Dagster's.")] = None,
    tokens_per_second: Annotated[
        float | None, typer.Option(min=0.001, help="What one GPU generates; by default the pace of past rounds.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Forecast the next round from the newest one: rollouts, tokens and GPU-hours, by asset and slice."""
    from dagster_project.planning import plan as plan_round
    from dagster_project.resources.store import Store
    from dagster_project.settings.file import SettingsError, load_settings
    from generators.sampling.storage import StorageError

    try:
        loaded = load_settings(settings)
        forecast = plan_round(loaded, Store(data_root=loaded.data_root))
    except (SettingsError, StorageError) as error:
        typer.echo(f"stepmill: {error}", err=True)
        raise typer.Exit(2) from error
    if not forecast.assets:
        typer.echo(
            f"stepmill: {loaded.data_root} has no past round of these sources to plan by: materialise one slice in the "
            "UI (or run `make demo`), then ask again",
            err=True,
        )
        raise typer.Exit(2)
    if as_json:
        print_json(_data(forecast, tokens_per_second))
    else:
        typer.echo(_tables(forecast, tokens_per_second))


def _data(forecast: "Plan", tokens_per_second: float | None) -> dict[str, Any]:
    """The forecast as JSON data."""
    from dagster_project.planning import gpu_hours

    pace = tokens_per_second or forecast.tokens_per_second
    assets = [
        {
            "slice": asset.slice,
            "asset": asset.asset,
            "rollouts": asset.rollouts,
            "tokens": asset.tokens,
            "gpu_hours": gpu_hours(asset.tokens, pace),
            "basis": {"round": asset.basis.round, "slice": asset.basis.slice},
        }
        for asset in forecast.assets
    ]
    return {
        "tokens_per_second": pace,
        "is_measured_pace": tokens_per_second is None,
        "assets": assets,
        "rollouts": forecast.rollouts,
        "tokens": forecast.tokens,
        "gpu_hours": gpu_hours(forecast.tokens, pace),
        "not_planned": list(forecast.unknown),
    }


def _tables(forecast: "Plan", tokens_per_second: float | None) -> str:
    """The forecast as tables, and the slices that it does not cover."""
    from dagster_project.planning import gpu_hours
    from releases.comparison.text import text_table

    pace = tokens_per_second or forecast.tokens_per_second
    rows = [
        (
            asset.slice,
            asset.asset,
            f"{asset.rollouts:.0f}",
            f"{asset.tokens:.0f}",
            f"{gpu_hours(asset.tokens, pace):.3f}",
        )
        for asset in forecast.assets
    ]
    total = ("all", "", f"{forecast.rollouts:.0f}", f"{forecast.tokens:.0f}", f"{gpu_hours(forecast.tokens, pace):.3f}")
    bases = sorted({f"{asset.basis.slice} of round {asset.basis.round}" for asset in forecast.assets})
    lines = [
        text_table(("slice", "asset", "rollouts", "tokens", "GPU-hours"), [*rows, total]),
        f"at {pace:,.0f} tokens a second and GPU{'' if tokens_per_second else ', as measured'}; "
        f"based on what {', '.join(bases)} cost",
    ]
    if forecast.unknown:
        lines.append(f"not planned, because no past slice exists (materialise one): {', '.join(forecast.unknown)}")
    return "\n\n".join(lines)
