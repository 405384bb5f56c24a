"""The command `stepmill check`: what cannot work under the settings, before a token is spent."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from releases.cli import print_json

if TYPE_CHECKING:
    from dagster_project.preflight.report import Report


def check(
    settings: Annotated[Path | None, typer.Option(help="The settings file; by default Dagster's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Say what cannot work: settings, sources, models, memory and places, looked at together.

    Nothing is generated, and no server is started. Exit code 2 means that something cannot work.
    """
    from dagster_project.commands.errors import explained
    from dagster_project.preflight.report import check as look
    from dagster_project.settings.file import load_settings

    with explained():
        report = look(load_settings(settings))
    if as_json:
        print_json(_data(report))
    else:
        typer.echo("\n".join(_lines(report)))
    if report.refused:
        raise typer.Exit(2)


def _lines(report: "Report") -> list[str]:
    """A line for every source and finding, and what follows from them."""
    lines = [
        f"{read.name}: {read.rows} rows read, {len(read.problems)} of {read.sampled} sampled problems can be used"
        for read in report.sources
    ]
    lines += [f"Warning: {finding.sentence}" for finding in report.warned]
    lines += [f"Cannot work: {finding.sentence}" for finding in report.refused]
    n = len(report.refused)
    verdict = f"{n} thing{'s' if n > 1 else ''} cannot work" if n else "Nothing stands in the way of a round."
    return [*lines, verdict]


def _data(report: "Report") -> dict[str, Any]:
    """The report as JSON data."""
    return {
        "fits": not report.refused,
        "sources": [
            {
                "name": read.name,
                "rows": read.rows,
                "sampled": read.sampled,
                "usable": len(read.problems),
                "set_aside": read.set_aside,
            }
            for read in report.sources
        ],
        "findings": [
            {"field": finding.field, "blocks": finding.blocks, "sentence": finding.sentence}
            for finding in report.findings
        ],
    }
