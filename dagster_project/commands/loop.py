"""The command `stepmill loop`: round after round, each drawn by the policy that the one before it trained."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dagster_project.policies.position import Position


def loop(
    n_rounds: Annotated[
        int | None, typer.Option("--rounds", min=1, help="Rounds in all; by default those of [loop].")
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="The settings file; by default Dagster's.")] = None,
    launch: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Hand the runs to the Dagster whose UI is at this address, and follow them."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")] = False,
) -> None:
    """Make rounds whose releases train and evaluate the next policy; the same command goes on with what is there.

    Exit codes: 0 the loop has ended by one of its rules, 1 something crashed, 2 a failed check blocks a dataset that
    trains, a round has no row to train on, or the command cannot run as it was typed.
    """
    import json

    from dagster_project.commands.errors import explained
    from dagster_project.policies.looping import LoopMaker, exit_code, with_rounds
    from dagster_project.policies.position import Due, selection_of
    from dagster_project.policies.reporting import data_of, table_of
    from dagster_project.preflight.report import require
    from dagster_project.running.home import home, open_instance
    from dagster_project.running.launching import GraphQL
    from dagster_project.running.report import report
    from dagster_project.running.view import shown
    from dagster_project.runs import log_of
    from dagster_project.settings.file import load_settings

    code = 0
    with explained():
        loaded = with_rounds(load_settings(settings), n_rounds)
        require(loaded, stages=selection_of(loaded).stages)
        with open_instance() as instance:
            maker = LoopMaker(settings=loaded, instance=instance, webserver=GraphQL(launch) if launch else None)
            where = maker.position()
            while where.due is not Due.NOTHING and not code:
                record = maker.opened(where)
                typer.echo(
                    f"Round {record.number} of at most {maker.loop.rounds}, {record.round}, is drawn by "
                    f"{record.policy}, with its events in {home()}{maker.time_left(record.number)}"
                )
                log = log_of(loaded, record.round)
                with shown(log) as listener:
                    result = maker.make(record, listener, log=log)
                typer.echo(report(result))
                where = maker.position()
                code = exit_code(result, where)
                if where.known:
                    typer.echo(f"\n{table_of(where.known).text()}\n")
    typer.echo(_ending(where, code))
    if as_json:
        rounds = [record.round for record in where.rounds]
        best = where.policies[where.progress.best] if where.progress else None
        answer = {"rounds": rounds, "policies": data_of(where.known), "best": best, "ended": where.why}
        typer.echo(json.dumps(answer | {"exit_code": code}))
    raise typer.Exit(code)


def _ending(where: "Position", code: int) -> str:
    """The last line: why the loop has ended and with which policy, or how to go on."""
    if code or where.progress is None:
        return f"Round {where.round} is not finished: mend the cause, and `stepmill loop` goes on."
    best = where.progress.best
    return f"The loop has ended: {where.why}. The best policy is {where.policies[best]}, made by round {best}."
