"""How every asset of a slice ends: the shared metadata, the shared checks, its cost and its scorecard.

Knows no asset in particular; an asset hands over its rows and what only it can tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import polars as pl

from dagster_project import report
from dagster_project.checks import in_line, rows_of_the_slice, schema_holds, share_in_bounds
from dagster_project.cost import add_cost
from dagster_project.partitions import Cell
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.store import Store
from dagster_project.scorecard import Scorecard, outcome_of, read_scorecard
from dagster_project.settings.operations import CheckSettings
from dagster_project.workbench import Workbench
from filters.schema import TableSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table that was written: its rows and their schema, and how much was `asked` of each problem.

    `of` counts what the yield is a share of, by default the slice's problems; `figures` are compared across rounds.
    """

    asset: str
    frame: pl.DataFrame
    schema: TableSchema
    asked: int = 1
    of: int | None = None
    figures: Mapping[str, float] = field(default_factory=dict)


def finished(
    table: Table,
    store: Store,
    cell: Cell,
    bounds: CheckSettings,
    *,
    checks: Sequence[dg.AssetCheckResult],
    metadata: Mapping[str, Any],
    bench: Workbench | None = None,
    policy: PolicyResource | None = None,
    data_version: str | None = None,
) -> dg.MaterializeResult:
    """The asset's result, its scorecard written; raises StorageError."""
    asset, frame = table.asset, table.frame
    path = store.table(asset, cell)
    problems = store.read(store.table("problems", cell)).select("problem_id")
    with_row = frame["problem_id"].n_unique()
    least, most = bounds.yield_bounds(asset)
    total = problems.height if table.of is None else table.of
    cost = add_cost(store, asset, cell, problems=problems.height, per_problem=table.asked, bench=bench)
    figures = {"yield": with_row / max(1, total), **table.figures}
    if bench is not None:
        figures["tokens_per_kept_row"] = cost.tokens / max(1, frame.height)
    results = [
        schema_holds(path, table.schema),
        share_in_bounds("yield_in_bounds", with_row, total, least=least, most=most, what="problems with a row"),
        *checks,
    ]
    if not any(one.check_name == "contamination" for one in checks):
        results.append(rows_of_the_slice(frame, problems))
    results.append(in_line(figures, other_figures(store, asset, cell), bounds.drift))
    sampled = (bench.metadata() | {"tokens_so_far": cost.tokens}) if bench else {}
    log = policy.metadata() if policy else {}
    told = dict(metadata) | sampled | log
    return concluded(table, store, cell, results, figures=figures, metadata=told, data_version=data_version)


def concluded(
    table: Table,
    store: Store,
    cell: Cell,
    checks: Sequence[dg.AssetCheckResult],
    *,
    figures: Mapping[str, float],
    metadata: Mapping[str, Any],
    data_version: str | None = None,
) -> dg.MaterializeResult:
    """The result with these checks and the metadata of every table, its scorecard written; raises StorageError."""
    asset, frame = table.asset, table.frame
    card = Scorecard(rows=frame.height, figures=figures, checks=tuple(map(outcome_of, checks)))
    card.write(store, asset, cell)
    dropped = store.read(store.dropped(asset, cell))
    shared = report.table(store.table(asset, cell), frame, table.schema) | {
        "rows_kept": frame.height,
        "rows_dropped": dropped.height,
        "dropped": report.dropped(dropped),
        "figures": report.facts(figures),
    }
    version = None if data_version is None else dg.DataVersion(data_version)
    return dg.MaterializeResult(metadata=shared | dict(metadata), check_results=checks, data_version=version)


def other_figures(store: Store, asset: str, cell: Cell) -> list[Mapping[str, float]]:
    """The figures of the same slice in other rounds, as far as they were made."""
    others = [Cell(round=key, slice=cell.slice) for key in store.rounds(asset) if key != cell.round]
    cards = [read_scorecard(store, asset, other) for other in others]
    return [card.figures for card in cards if card is not None]
