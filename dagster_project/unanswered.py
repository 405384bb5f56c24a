"""A slice of problems without answers, as the assets meet it whose rows need a verdict: nothing is drawn for it.

Their tables are empty, every problem is dropped under one reason, and the checks pass, since there is nothing to hold
to a bound. Knows no asset in particular; that long chains of thought are scored by a reward model is their own matter.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl
from upath import UPath

from dagster_project.checks import schema_holds
from dagster_project.cost import add_cost
from dagster_project.finishing import Table, concluded
from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from filters.schema import TableSchema
from generators.records import Problem

REASON = "no_answer_to_verify"
WHY = "the source has no answers: nothing is drawn for what only a verdict can decide"
SET_ASIDE = "set_aside"


def nothing_to_verify(problems: Sequence[Problem]) -> bool:
    """Whether there are problems, and none of them has an answer."""
    return bool(problems) and not any(problem.has_answer for problem in problems)


def is_set_aside(recipe: Mapping[str, Any]) -> bool:
    """Whether a recipe is that of a table that was left empty here."""
    return SET_ASIDE in recipe


def excused(name: str, *, blocks: bool) -> dg.AssetCheckResult:
    """A check that passes since there is nothing to look at, and says so."""
    severity = dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        check_name=name, passed=True, severity=severity, description=WHY, metadata={SET_ASIDE: REASON}
    )


def set_aside(
    context: dg.AssetExecutionContext,
    store: Store,
    cell: Cell,
    problems: Sequence[Problem],
    schema: TableSchema,
    *,
    dropped: Mapping[str, Any],
    beside: Sequence[tuple[UPath, pl.DataFrame]] = (),
) -> dg.MaterializeResult:
    """Write the asset's table and those `beside` it empty, every problem dropped; raises StorageError.

    `dropped` are the columns that the asset's dropped rows have.
    """
    table = Table(asset=context.asset_key.to_user_string(), frame=schema.empty(), schema=schema)
    told = {name: value for name, value in (("reason", REASON), ("detail", WHY)) if name in dropped}
    rows = [{"problem_id": problem.problem_id, **told} for problem in problems]
    store.write_recipe(table.asset, cell, {SET_ASIDE: REASON})
    store.write(store.table(table.asset, cell), table.frame)
    store.write(store.dropped(table.asset, cell), pl.DataFrame(rows, schema=dict(dropped)))
    for path, frame in beside:
        store.write(path, frame)
    add_cost(store, table.asset, cell, problems=len(problems), per_problem=table.asked, bench=None)
    context.log.info(f"{table.asset}: {len(problems)} problems are set aside: {WHY}")
    blocking = {spec.name: spec.blocking for spec in context.assets_def.check_specs}
    others = [excused(name, blocks=blocks) for name, blocks in blocking.items() if name != "schema"]
    checks = [schema_holds(store.table(table.asset, cell), schema), *others]
    return concluded(table, store, cell, checks, figures={}, metadata={SET_ASIDE: WHY})
