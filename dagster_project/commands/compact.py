"""The command `stepmill compact`: merge the parts of ledgers, which runs also do by themselves while they write."""

from pathlib import Path
from typing import Annotated

import typer


def compact(
    settings: Annotated[Path | None, typer.Option(help="The settings file; by default Dagster's.")] = None,
    round_key: Annotated[str, typer.Option("--round", help="One round; by default all of them.")] = "*",
) -> None:
    """Merge the parts of every ledger that no run holds, so that ledgers open faster and take less room."""
    from dagster_project.commands.errors import explained
    from dagster_project.overview import UnknownRound
    from dagster_project.resources.store import Store
    from dagster_project.settings.file import load_settings
    from generators.sampling.ledger import Ledger, LedgerHeld, Terms

    with explained():
        store = Store(data_root=load_settings(settings).data_root)
        folders = store.ledger_folders(round_key)
        if not folders and round_key != "*":
            raise UnknownRound(f"no ledger in {store.root} is of the round {round_key}: see `stepmill status`")
        if not folders:
            typer.echo(f"there is no ledger in {store.root} yet: make a round with `stepmill run`")
        for folder in folders:
            try:
                with Ledger(folder, terms=Terms(wait_s=0), run="stepmill compact", merges=False) as ledger:
                    fewer = ledger.compact()
            except LedgerHeld as held:
                typer.echo(f"left as it is: {held}", err=True)
                continue
            for warning in ledger.warnings:
                typer.echo(warning, err=True)
            typer.echo(f"{folder}: {len(ledger)} rollouts, {fewer} parts fewer")
