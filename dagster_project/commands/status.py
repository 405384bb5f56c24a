"""The command `stepmill status`: how far a round is, what blocks it, and what it cost."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from releases.cli import print_json

if TYPE_CHECKING:
    from dagster_project.overview import RoundOverview


def status(
    round_name: Annotated[str | None, typer.Option("--round", help="The round; by default the newest.")] = None,
    settings: Annotated[Path | None, typer.Option(help="The settings file; by default Dagster's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Say how far a round is: its datasets, what is not made, what blocks and its remedy, and what it cost."""
    from dagster_project.commands.errors import explained
    from dagster_project.overview import round_of
    from dagster_project.settings.file import load_settings

    with explained():
        loaded = load_settings(settings)
        found = round_of(loaded, round_name)
    if as_json:
        print_json(None if found is None else _data(found))
    elif found is None:
        typer.echo(f"there is no round in {loaded.data_root} yet: make one with `stepmill run`")
    else:
        typer.echo(_text(found))


def _text(found: "RoundOverview") -> str:
    """The round as text."""
    from dagster_project.running.report import blocks, warnings
    from generators.datasets import DATASETS
    from releases.comparison.text import text_table

    rows = [(one.name, str(one.state), one.rows, one.version or "") for one in found.datasets]
    lines = [f"Round {found.name}", "", text_table(("dataset", "state", "rows", "version"), rows), ""]
    unmade: dict[str, list[str]] = {}
    for table in found.state.unmade:
        unmade.setdefault(table.slice, []).append(table.stage)
    lines += [f"Not made of slice {key}: {', '.join(stages)}" for key, stages in unmade.items()]
    lines += [*warnings(found.state.warned), *blocks(found.state.failed, DATASETS)]
    lines.append(f"Cost: {found.cost}")
    if unmade:
        lines.append(f"Go on with `stepmill run --round {found.name}`.")
    return "\n".join(lines)


def _data(found: "RoundOverview") -> dict[str, Any]:
    """The round as JSON data."""
    from dataclasses import asdict

    from dagster_project.running.report import check

    return {
        "round": found.name,
        "slices": found.slices,
        "datasets": [asdict(one) for one in found.datasets],
        "unmade": [asdict(table) for table in found.state.unmade],
        "blocked": [check(failure) for failure in found.state.failed],
        "warned": [check(failure) for failure in found.state.warned],
        "cost": asdict(found.cost),
    }
