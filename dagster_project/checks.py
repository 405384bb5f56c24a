"""The checks that every stage shares, and how a check becomes Dagster's, with a status for each slice of each round."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg
import polars as pl
from upath import UPath

from dagster_project.settings.operations import CheckSettings
from filters.rules import most_frequent, reason_counts
from filters.schema import Schema, SchemaError
from generators.blocks import StoredTable, validate_blocks
from generators.checks import Check, CheckSpec, share_in_bounds
from generators.section import NoSettings
from generators.stage import Stage

SCHEMA = CheckSpec("schema", "The table, read back from disk, has its columns and obeys its rules.")
YIELD = CheckSpec("yield_in_bounds", "The share of the slice's problems that have a row is within bounds.")
ROWS_OF_THE_SLICE = CheckSpec("rows_of_the_slice", "No row belongs to a problem that the slice no longer has.")
FAILED_ITEMS = CheckSpec("failed_items", "The engine refused few enough of the items that were sampled.")
TREND = CheckSpec(
    "in_line_with_other_rounds", "The figures are near their means over the slice's other rounds.", blocks=False
)
SHOWN_REASONS = 3


def declared_checks(stage: Stage[Any]) -> tuple[CheckSpec, ...]:
    """The checks of a stage's asset: the shared ones and its own."""
    of_problems = (ROWS_OF_THE_SLICE,) if stage.needs else ()
    sampled = (FAILED_ITEMS,) if stage.samples else ()
    return (SCHEMA, YIELD, *of_problems, *stage.checks, *sampled, TREND)


def specs(stage: Stage[Any], grid: dg.MultiPartitionsDefinition) -> list[dg.AssetCheckSpec]:
    """The checks of a stage's asset as Dagster declares them."""
    with warnings.catch_warnings():
        # Dagster may still change partitioned checks. Releases go by scorecards, so only what the UI shows is at stake.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                check.name,
                asset=stage.name,
                description=check.description,
                blocking=check.blocks,
                partitions_def=grid,
            )
            for check in declared_checks(stage)
        ]


def result(check: Check) -> dg.AssetCheckResult:
    """A check as Dagster shows it."""
    severity = dg.AssetCheckSeverity.ERROR if check.blocks else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        check_name=check.name,
        passed=check.passed,
        severity=severity,
        description=check.why if check.passed else f"{check.why}. {check.remedy}",
        metadata=dict(check.figures),
    )


def schema_holds(path: UPath, schema: Schema) -> Check:
    """Passes while the table, read back as it was written, has its columns and obeys its rules."""
    remedy = "Materialise the slice again; if the check fails again, the stage has a bug: report it with this sentence."
    try:
        validate_blocks(StoredTable(path, schema))
    except SchemaError as broken:
        return Check(name=SCHEMA.name, passed=False, why=str(broken), remedy=remedy)
    why = f"{len(schema.columns)} columns, {len(schema.rules)} rules"
    return Check(name=SCHEMA.name, passed=True, why=why, remedy=remedy)


def yield_in_bounds(
    stage: Stage[Any], with_row: int, total: int, dropped: pl.DataFrame, bounds: CheckSettings
) -> Check:
    """Passes while the share of problems with a row is within bounds.

    Too few rows only warn, unless the stage must yield or the settings bound its yield.
    """
    least, most = bounds.yield_bounds(stage.name)
    section = "[[sources]]" if stage.settings is NoSettings else f"[{stage.name}]"
    remedy = (
        f"Change {section} of the settings, the problems or the policy; `least_yield` and `most_yield` of [checks] set "
        "the bounds."
    )
    check = share_in_bounds(
        YIELD.name, with_row, total, least=least, most=most, what="problems with a row", remedy=remedy
    )
    lost = most_frequent(reason_counts(dropped), SHOWN_REASONS)
    is_demanded = stage.must_yield or stage.name in bounds.least_yield
    is_too_low = check.figures["share"] < least
    return replace(
        check,
        why=check.why if check.passed else f"{check.why}; dropped: {lost}",
        blocks=is_demanded or not is_too_low,
    )


def failed_items(failed: int, total: int, dropped: pl.DataFrame, most: float) -> Check:
    """Passes while the engine refuses few enough of the items; the sentence quotes a refusal."""
    remedy = (
        "Change what the engine refuses, such as prompts longer than the model's context, or raise `most_failed` of "
        "[checks]."
    )
    check = share_in_bounds(
        FAILED_ITEMS.name, failed, total, most=most, what="items refused by the engine", remedy=remedy
    )
    if not failed:
        return check
    refusals = dropped.filter(pl.col("reason") == "refused")["detail"].to_list()
    return replace(check, why=f"{check.why}, such as: {refusals[0]}") if refusals else check


def rows_of_the_slice(frame: pl.DataFrame, problems: pl.DataFrame) -> Check:
    """Passes while every row's problem is in the slice, which may have lost some since."""
    strays = frame.join(problems, on="problem_id", how="anti").height
    why = f"{strays} of {frame.height} rows are of problems that the slice does not have (any more)"
    remedy = "Materialise the stage again: the problems of the slice changed after it."
    return Check(
        name=ROWS_OF_THE_SLICE.name,
        passed=strays == 0,
        why=why,
        remedy=remedy,
        figures={"rows_of_other_problems": strays},
    )


def in_line(figures: Mapping[str, float], others: Sequence[Mapping[str, float]], drift: float) -> Check:
    """Passes while every figure is within `drift` of its mean over other rounds, as a share of that mean."""
    means = {
        name: sum(values) / len(values)
        for name in figures
        if (values := [other[name] for other in others if name in other])
    }
    off = [
        f"{name} is {figures[name]:.3g}, {mean:.3g} in others"
        for name, mean in means.items()
        if abs(figures[name] - mean) > drift * abs(mean)
    ]
    why = ("; ".join(off) or "all figures are near those of other rounds") if means else "there is no other round"
    both = {**figures, **{f"{name}_of_others": mean for name, mean in means.items()}}
    remedy = "Find out what changed: the problems, the policy or the settings; `drift` of [checks] sets the bound."
    return Check(name=TREND.name, passed=not off, why=why, remedy=remedy, blocks=False, figures=both)
