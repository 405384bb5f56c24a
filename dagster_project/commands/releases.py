"""The command `stepmill releases`: every released version under the data root."""

from pathlib import Path
from typing import Annotated

import typer

from releases.cli import print_json, say


def releases(
    dataset: Annotated[str | None, typer.Argument(help="List the versions of this dataset alone.")] = None,
    settings: Annotated[Path | None, typer.Option(help="The settings file; by default Dagster's.")] = None,
    hub: Annotated[bool, typer.Option("--hub", help="Ask the Hub which versions it has, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """List the released versions: round, rows, size, date and folder."""
    from dataclasses import asdict

    from dagster_project.commands.errors import explained
    from dagster_project.overview import releases_of
    from dagster_project.settings.file import SettingsError, load_settings
    from releases.comparison.text import text_table
    from releases.registry.hub import HubRegistry

    with explained():
        loaded = load_settings(settings)
        found = releases_of(loaded, dataset)
        there: set[tuple[str, str]] = set()
        if hub:
            if loaded.hub is None:
                raise SettingsError("--hub needs a section [hub] with the `namespace` to ask: add it to the settings")
            remote = HubRegistry(loaded.hub.namespace, reads_only=True)
            names = dict.fromkeys(one.dataset for one in found)
            there = {(name, version) for name in names for version in remote.versions(name)}
    if as_json:
        listed = [
            asdict(one)
            | {"written": one.written.isoformat(timespec="seconds")}
            | ({"on_hub": (one.dataset, one.version) in there} if hub else {})
            for one in found
        ]
        print_json({"releases": listed})
        return
    if not found:
        typer.echo(f"nothing is released in {loaded.data_root} yet: make a round with `stepmill run`")
        return
    rows = [
        (
            one.dataset,
            one.version,
            one.round,
            one.rows,
            f"{one.size / 1e6:.2f} MB",
            f"{one.written:%Y-%m-%d %H:%M}",
            *((("yes" if (one.dataset, one.version) in there else "no"),) if hub else ()),
            one.path,
        )
        for one in found
    ]
    heads = (
        "dataset",
        "version",
        "round",
        "rows",
        "size",
        "written (UTC)",
        *(("on the Hub",) if hub else ()),
        "folder",
    )
    say(text_table(heads, rows))
