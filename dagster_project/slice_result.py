"""What the run of a slice leaves: tables on disk, recipe, cost, checks, scorecard, metadata in the UI."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from dagster_project import report
from dagster_project.checks import (
    SCHEMA,
    declared_checks,
    failed_items,
    in_line,
    result,
    rows_of_the_slice,
    schema_holds,
    yield_in_bounds,
)
from dagster_project.freshness import made_from
from dagster_project.partitions import Cell
from dagster_project.resources.store import SET_ASIDE
from dagster_project.scorecard import CheckOutcome, Scorecard, add_cost, read_scorecard
from dagster_project.slice import RunSlice
from generators.blocks import measured
from generators.checks import Check
from generators.section import Section
from generators.shown import Shown
from generators.stage import Output, Stage

NO_ANSWERS = "no_answer_to_verify"
WHY_SET_ASIDE = "the source has no answers, and these rows need a verdict: nothing is drawn"


def set_aside(stage: Stage[Any], work: RunSlice) -> dg.MaterializeResult:
    """Write empty tables, drop every problem for one reason, and pass every check."""
    texts = {"reason": NO_ANSWERS, "detail": WHY_SET_ASIDE}
    reasons = {name: text for name, text in texts.items() if name in stage.dropped.columns}
    optional = dict.fromkeys(stage.dropped.columns)
    problems = work.problems()
    dropped = stage.dropped.frame([{**optional, "problem_id": problem.problem_id, **reasons} for problem in problems])
    beside = {schema.name: schema.empty() for schema in stage.beside}
    write(stage, work, Output(rows=stage.schema.empty(), dropped=dropped, beside=beside), {SET_ASIDE: NO_ANSWERS})
    per_problem = stage.per_problem(work.all_settings.section(stage.name))
    add_cost(work.store, stage.name, work.cell, problems=len(problems), per_problem=per_problem, benches=[])
    work.say(f"{stage.name}: {len(problems)} problems are set aside: {WHY_SET_ASIDE}")
    others = [
        Check(name=check.name, passed=True, why=WHY_SET_ASIDE, remedy="", blocks=check.blocks)
        for check in declared_checks(stage)
        if check != SCHEMA
    ]
    holds = schema_holds(work.store.table(stage.name, work.cell), stage.schema)
    return _concluded(stage, work, [holds, *others], figures={}, metadata={SET_ASIDE: WHY_SET_ASIDE})


def write(stage: Stage[Any], work: RunSlice, output: Output, recipe: dict[str, Any]) -> None:
    """Write the recipe first, then every table."""
    store, cell = work.store, work.cell
    declared = {schema.name for schema in stage.beside}
    if declared != output.beside.keys():
        raise RuntimeError(f"{stage.name} declares the tables {sorted(declared)}, made {sorted(output.beside)}")
    store.write_recipe(stage.name, cell, recipe)
    store.write(store.table(stage.name, cell), output.rows)
    store.write(store.dropped(stage.name, cell), output.dropped)
    for name, table in output.beside.items():
        store.write(store.table(name, cell), table)


def finished(
    stage: Stage[Any], work: RunSlice, section: Section, output: Output, extra: Mapping[str, Shown]
) -> dg.MaterializeResult:
    """The checks, the cost and the figures of a finished slice."""
    store, cell, bounds = work.store, work.cell, work.all_settings.checks
    problems = work.table("problems").select("problem_id")
    cost = add_cost(
        store,
        stage.name,
        cell,
        problems=problems.height,
        per_problem=stage.per_problem(section),
        benches=work.benches,
    )
    rows = measured(output.rows, ["problem_id"])
    with_row = rows["problem_id"].n_unique()
    total = problems.height if output.of is None else output.of
    figures = {"yield": with_row / max(1, total), **output.figures}
    if work.benches:
        figures["tokens_per_kept_row"] = cost.tokens / max(1, rows.height)
    checks = [
        schema_holds(store.table(stage.name, cell), stage.schema),
        yield_in_bounds(stage, with_row, total, output.dropped, bounds),
        *output.checks,
    ]
    if stage.needs:
        checks.append(rows_of_the_slice(rows, problems))
    if stage.samples:
        checks.append(failed_items(output.n_failed, output.n_items, output.dropped, bounds.most_failed))
    checks.append(in_line(figures, _other_figures(work, stage.name), bounds.drift))
    _require_declared(stage, checks)
    values = {**extra, **output.shown}
    metadata = report.drawn(values)
    if work.benches:
        metadata |= work.benches[-1].usage() | {"tokens_so_far": cost.tokens}
    if stage.needs_gpu:
        metadata |= work.policy_resource.metadata()
    return _concluded(
        stage,
        work,
        checks,
        figures=figures,
        first=report.first_screen(values),
        metadata=metadata,
        data_version=output.data_version,
    )


def _require_declared(stage: Stage[Any], checks: Sequence[Check]) -> None:
    """Raise RuntimeError unless a stage made each declared check once, and lets none block that only warns."""
    blocks = {check.name: check.blocks for check in declared_checks(stage)}
    made = sorted(check.name for check in checks)
    if made != sorted(blocks):
        raise RuntimeError(f"{stage.name} declares the checks {sorted(blocks)}, made {made}")
    loud = [check.name for check in checks if check.blocks and not blocks[check.name]]
    if loud:
        raise RuntimeError(f"{stage.name} declares {', '.join(loud)} as a warning: its check must have blocks=False")


def _concluded(
    stage: Stage[Any],
    work: RunSlice,
    checks: Sequence[Check],
    *,
    figures: Mapping[str, float],
    first: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any],
    data_version: str | None = None,
) -> dg.MaterializeResult:
    """Write the scorecard and give the result; the UI shows its metadata in this order, without the column schema.

    Under Dagster's own name, `dagster/column_schema`, the columns would stand above everything else.
    """
    store, cell = work.store, work.cell
    rows, dropped = work.stored(stage.name).height, store.read(store.dropped(stage.name, cell))
    origin = made_from(stage, work.all_settings, store, cell, policy=work.policy.name if stage.needs_gpu else "")
    card = Scorecard(rows=rows, figures=figures, checks=tuple(map(CheckOutcome.of, checks)), made_from=origin)
    card.write(store, stage.name, cell)
    shown = {
        "headline": report.headline(rows, dropped),
        **(first or {}),
        "dropped": report.dropped(dropped),
        "figures": report.facts(figures),
        **metadata,
        "rows_kept": rows,
        "rows_dropped": dropped.height,
        **report.table(store.table(stage.name, cell), rows, stage.schema),
    }
    version = None if data_version is None else dg.DataVersion(data_version)
    return dg.MaterializeResult(metadata=shown, check_results=[result(check) for check in checks], data_version=version)


def _other_figures(work: RunSlice, stage: str) -> list[Mapping[str, float]]:
    """The figures of the same slice in the other rounds that have it."""
    cells = [Cell(round=key, slice=work.key) for key in work.store.rounds(stage) if key != work.cell.round]
    cards = [read_scorecard(work.store, stage, cell) for cell in cells]
    return [card.figures for card in cards if card is not None]
