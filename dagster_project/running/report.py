"""What `stepmill run` prints at the end of a round: tables, warnings, what blocks and its remedy, and releases."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from dagster_project.running.listener import Made
from dagster_project.runs import Fate, RoundResult
from dagster_project.scorecard import FailedCheck
from generators.dataset import Dataset
from releases.comparison.text import text_table

OLD = "Materialise the slice again: an earlier stepmill made it."


def report(result: RoundResult) -> str:
    """The report as text."""
    lines = [f"Round {result.round}: {len(result.tables)} tables made in {result.seconds:.0f} s"]
    of_slices = [made for made in result.tables if made.yielded is not None]
    if of_slices:
        lines += ["", tables(of_slices)]
    if result.kept:
        lines += ["", *_kept(result)]
    lines += ["", *warnings(result.state.warned), *blocks(result.state.failed, result.selection.datasets)]
    lines += [f"Failed: {crash.table}: {crash.why}" for crash in result.crashes]
    lines += [*result.empty.values(), *_unreleased(result), *releases(result.released)]
    lines += [
        f"Made {made.table.asset} in {made.seconds:.0f} s, with {made.rollouts_drawn} rollouts: {made.path}"
        for made in result.tables
        if made.yielded is None
    ]
    return "\n".join([*lines, f"Every event is in {result.log}"]).replace("\n\n\n", "\n\n")


def tables(made: Sequence[Made]) -> str:
    """The tables that were made, with what each took."""
    header = ("table", "slice", "rows", "yield", "rollouts", "from ledger", "tokens", "tokens/s", "seconds")
    rows = [
        (
            one.table.asset,
            one.table.partition,
            one.rows,
            one.yielded or 0.0,
            one.rollouts_drawn,
            one.rollouts_from_ledger,
            one.tokens,
            round(one.tokens_per_second),
            round(one.seconds),
        )
        for one in made
    ]
    return text_table(header, rows)


def warnings(warned: Iterable[FailedCheck]) -> list[str]:
    """Every failed check that blocks nothing, with its remedy."""
    return [line for failure in warned for line in _lines("Warning", failure)]


def blocks(failed: Iterable[FailedCheck], datasets: Sequence[Dataset[Any]]) -> list[str]:
    """Every failed check that blocks, with its remedy and the datasets that it keeps back."""
    lines: list[str] = []
    for failure in failed:
        kept_back = [dataset.name for dataset in datasets if failure.stage in dataset.stages]
        lines += [*_lines("Blocked", failure), f"  not released: {', '.join(kept_back)}"]
    return lines


def releases(released: Iterable[Made]) -> list[str]:
    """Every release with its rows, and where it is."""
    lines = []
    for one in released:
        name = one.table.asset.removesuffix("_release")
        verb = "Released" if one.is_new else "Already released:"
        lines.append(f"{verb} {name} {one.version}: {one.rows} rows at {one.path}")
        if one.hub:
            lines.append(f"  on the Hub at {one.hub}")
    return lines


def data(result: RoundResult) -> dict[str, Any]:
    """The report as JSON data."""
    return {
        "round": result.round,
        "exit_code": result.exit_code,
        "seconds": round(result.seconds, 1),
        "log": str(result.log),
        "tables": [_table(made) for made in result.tables],
        "kept": [str(table) for table in result.kept],
        "released": [_table(made) for made in result.released],
        "datasets": dict(result.fates) | dict.fromkeys(result.empty, "empty"),
        "empty": dict(result.empty),
        "failed": [{"table": str(crash.table), "why": crash.why} for crash in result.crashes],
        "warned": [check(failure) for failure in result.state.warned],
        "blocked": [check(failure) for failure in result.state.failed],
    }


def _kept(result: RoundResult) -> list[str]:
    """Which tables were not made again, by slice."""
    slices = dict.fromkeys(table.partition for table in result.kept)
    return [
        f"Kept in slice {key}, because they are finished and fresh (--again makes them anew): "
        + ", ".join(table.asset for table in result.kept if table.partition == key)
        for key in slices
    ]


def _unreleased(result: RoundResult) -> list[str]:
    """Why datasets are not released, other than by a check or for want of rows."""
    lines = []
    if unfinished := result.having(Fate.UNFINISHED):
        again = f"Run it again with --round {result.round}; it continues from the ledger."
        lines.append(f"Not finished: {', '.join(unfinished)}. {again}")
    if waiting := result.having(Fate.WAITING):
        stages = {stage for dataset in result.selection.datasets if dataset.name in waiting for stage in dataset.stages}
        missing = dict.fromkeys(table.slice for table in result.state.unmade if table.stage in stages)
        lines.append(
            f"Not released: {', '.join(waiting)}. A release needs all slices of a round, and of round {result.round} "
            f"{', '.join(missing)} are not made: run it again without --slice."
        )
    if not result.selection.releases and (ready := result.having(Fate.READY)):
        lines.append(f"Not released, by --no-release: {', '.join(ready)}.")
    return lines


def _table(made: Made) -> dict[str, Any]:
    known = {name: value for name, value in asdict(made).items() if name not in ("table", "is_blocked")}
    return {"asset": made.table.asset, "partition": made.table.partition} | known


def check(failure: FailedCheck) -> dict[str, Any]:
    """A failed check as JSON data."""
    remedy = failure.check.remedy or OLD
    why = failure.check.why
    return {"asset": failure.stage, "slice": failure.slice, "check": failure.check.name, "why": why, "remedy": remedy}


def _lines(kind: str, failure: FailedCheck) -> list[str]:
    return [
        f"{kind}: {failure.stage}, slice {failure.slice}: {failure.check.why}",
        f"  remedy: {failure.check.remedy or OLD}",
    ]
