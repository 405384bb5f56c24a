"""The command `stepmill rounds`: every round under the data root, its datasets, and what it cost."""

from pathlib import Path
from typing import Annotated

import typer

from releases.cli import print_json


def rounds(
    settings: Annotated[Path | None, typer.Option(help="The settings file; by default Dagster's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """List the rounds, the newest first: slices, the state of each dataset, rows, and cost."""
    from dataclasses import asdict

    from dagster_project.commands.errors import explained
    from dagster_project.overview import rounds_of
    from dagster_project.settings.file import load_settings
    from releases.comparison.text import text_table

    with explained():
        loaded = load_settings(settings)
        found = rounds_of(loaded)
    if as_json:
        print_json(
            {
                "rounds": [
                    {
                        "round": one.name,
                        "slices": one.slices,
                        "datasets": [asdict(dataset) for dataset in one.datasets],
                        "cost": asdict(one.cost),
                    }
                    for one in found
                ]
            }
        )
        return
    if not found:
        typer.echo(f"there is no round in {loaded.data_root} yet: make one with `stepmill run`")
        return
    blocks = []
    for one in found:
        rows = [(dataset.name, str(dataset.state), dataset.rows, dataset.version or "") for dataset in one.datasets]
        heading = f"Round {one.name}: {len(one.slices)} of {len(loaded.slices())} slices, {one.cost}"
        blocks.append(f"{heading}\n\n{text_table(('dataset', 'state', 'rows', 'version'), rows)}")
    typer.echo("\n\n".join(blocks))
