"""The command `stepmill run`: a round in this process or in a running Dagster, with its releases."""

from pathlib import Path
from typing import Annotated

import typer


def run(
    settings: Annotated[Path | None, typer.Option(help="The settings file; by default Dagster's.")] = None,
    round_name: Annotated[
        str | None, typer.Option("--round", help="The round; by default a new one, named for today.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="DATASET", help="Make and release this dataset; may be repeated.")
    ] = None,
    slice_keys: Annotated[
        list[str] | None, typer.Option("--slice", metavar="KEY", help="Make this slice; may be repeated.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Make tables again that are finished and fresh; the ledger is kept.")
    ] = False,
    release: Annotated[bool, typer.Option(help="Release the datasets of the round.")] = True,
    launch: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Hand the runs to the Dagster whose UI is at this address, and follow them."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
) -> None:
    """Make a round and release its datasets; the same --round goes on with one: what is finished and fresh is kept.

    Exit codes: 0 every dataset was released or has no rows, 1 a stage or a release crashed, 2 a failed check blocks a
    dataset (the others were released), or the command cannot run as it was typed.
    """
    import json

    from dagster_project.commands.errors import explained
    from dagster_project.preflight.report import require
    from dagster_project.running.home import home, open_instance
    from dagster_project.running.launching import GraphQL, Launched
    from dagster_project.running.report import data, report
    from dagster_project.running.selection import require_name, select
    from dagster_project.running.view import shown
    from dagster_project.runs import InProcess, RoundMaker, Runner, free_round, log_of
    from dagster_project.settings.file import load_settings

    with explained():
        loaded = load_settings(settings)
        selection = select(loaded, only=only or (), slices=slice_keys or (), releases=release, again=again)
        require(loaded, stages=selection.stages, slices=selection.slices)
        with open_instance() as instance:
            key = require_name(round_name) if round_name else free_round(loaded, instance)
            typer.echo(f"Round {key} under {loaded.data_root}, with its events in {home()}")
            log = log_of(loaded, key)
            with shown(log) as listener:
                runner: Runner = InProcess(settings=loaded, instance=instance, listener=listener)
                if launch is not None:
                    runner = Launched(settings=loaded, instance=instance, webserver=GraphQL(launch))
                maker = RoundMaker(settings=loaded, instance=instance, runner=runner, listener=listener)
                result = maker.make(key, selection, log=log)
    typer.echo(report(result))
    if as_json:
        typer.echo(json.dumps(data(result), ensure_ascii=False))
    raise typer.Exit(result.exit_code)
