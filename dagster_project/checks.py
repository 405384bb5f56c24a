"""The checks that every stage shares, and how a check becomes Dagster's."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl
from upath import UPath

from filters.schema import Schema, SchemaError
from generators.checks import Check, share_in_bounds
from generators.sampling.storage import read_parquet
from generators.stage import Stage

BLOCKING = ("schema", "yield_in_bounds", "contamination")
FAILED_ITEMS = "failed_items"
TREND = "in_line_with_other_rounds"


def names(stage: Stage[Any]) -> dict[str, bool]:
    """The checks of a stage's asset by name, and whether they block: the shared ones and its own."""
    sampled = (FAILED_ITEMS,) if stage.samples else ()
    blocking = dict.fromkeys((*BLOCKING, *stage.blocking, *sampled), True)
    return blocking | dict.fromkeys((*stage.warning, TREND), False)


def specs(stage: Stage[Any]) -> list[dg.AssetCheckSpec]:
    """The checks of a stage's asset as Dagster declares them."""
    return [dg.AssetCheckSpec(name, asset=stage.name, blocking=blocks) for name, blocks in names(stage).items()]


def result(check: Check) -> dg.AssetCheckResult:
    """A check as Dagster shows it."""
    severity = dg.AssetCheckSeverity.ERROR if check.blocks else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        check_name=check.name,
        passed=check.passed,
        severity=severity,
        description=check.why,
        metadata=dict(check.figures),
    )


def schema_holds(path: UPath, schema: Schema) -> Check:
    """Passes while the table, read back as it was written, has its columns and obeys its rules."""
    try:
        schema.validate(read_parquet(path))
    except SchemaError as broken:
        return Check(name="schema", passed=False, why=str(broken))
    return Check(name="schema", passed=True, why=f"{len(schema.columns)} columns, {len(schema.rules)} rules")


def failed_items(failed: int, total: int, most: float) -> Check:
    """Passes while the engine refuses few enough of the items."""
    return share_in_bounds(FAILED_ITEMS, failed, total, most=most, what="items refused by the engine")


def rows_of_the_slice(frame: pl.DataFrame, problems: pl.DataFrame) -> Check:
    """Passes while every row's problem is in the slice, which holds no problem that repeats an evaluation item."""
    strays = frame.join(problems, on="problem_id", how="anti").height
    why = f"{strays} of {frame.height} rows are of problems that the slice does not have (any more)"
    return Check(name="contamination", passed=strays == 0, why=why, figures={"strays": strays})


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
    return Check(name=TREND, passed=not off, why=why, blocks=False, figures=both)
