"""The checks that every table of a slice shares: what is measured, the bound, and the sentence that tells both.

Knows frames and counts; no asset in particular. A check that blocks and fails stops the slice and its round's release.
"""

from collections.abc import Mapping, Sequence

import dagster as dg
import polars as pl
from upath import UPath

from filters.answers.verdicts import Verdict
from filters.schema import SchemaError, TableSchema
from generators.sampling.storage import read_parquet

BLOCKING = ("schema", "yield_in_bounds", "contamination")
TREND = "in_line_with_other_rounds"
_NO_VERDICT = (Verdict.TIMEOUT.value, Verdict.ERROR.value)


def specs(asset: str, *, blocking: Sequence[str] = (), warning: Sequence[str] = ()) -> list[dg.AssetCheckSpec]:
    """The checks of an asset: those of every one, and its own."""
    blocks = [dg.AssetCheckSpec(name, asset=asset, blocking=True) for name in (*BLOCKING, *blocking)]
    return [*blocks, *(dg.AssetCheckSpec(name, asset=asset) for name in (*warning, TREND))]


def check(
    name: str, passed: bool, why: str, *, blocks: bool = True, figures: Mapping[str, float] | None = None
) -> dg.AssetCheckResult:
    """The result of a check, with the sentence that a blocked release repeats."""
    severity = dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(check_name=name, passed=passed, severity=severity, description=why, metadata=figures)


def schema_holds(path: UPath, schema: TableSchema) -> dg.AssetCheckResult:
    """Whether the table, read back as it was written, has its columns and obeys its rules."""
    try:
        schema.validate(read_parquet(path))
    except SchemaError as broken:
        return check("schema", False, str(broken))
    return check("schema", True, f"{len(schema.columns)} columns, {len(schema.rules)} rules")


def share_in_bounds(
    name: str, count: int, total: int, *, least: float = 0.0, most: float = 1.0, what: str
) -> dg.AssetCheckResult:
    """Whether `count` of `total` is a share from `least` to `most`; of nothing, whether nothing is allowed."""
    share = count / total if total else 0.0
    why = f"{count} of {total} {what} is {share:.3f}, bounds {least:g} to {most:g}"
    return check(name, least <= share <= most, why, figures={"count": count, "total": total, "share": share})


def failed_items(failed: int, total: int, most: float) -> dg.AssetCheckResult:
    """Whether the engine refused few enough of the items."""
    return share_in_bounds("failed_items", failed, total, most=most, what="items refused by the engine")


def timeouts(verdicts: pl.Series, most: float) -> dg.AssetCheckResult:
    """Whether few enough answers have no verdict for want of time or by an error."""
    decided = verdicts.drop_nulls()
    late = int(decided.is_in(_NO_VERDICT).sum())
    return share_in_bounds("timeouts", late, len(decided), most=most, what="answers without a verdict in time")


def rows_of_the_slice(frame: pl.DataFrame, problems: pl.DataFrame) -> dg.AssetCheckResult:
    """Whether every row's problem is one of the slice as it is now, thus none that repeats an evaluation item."""
    strays = frame.join(problems, on="problem_id", how="anti").height
    why = f"{strays} of {frame.height} rows are of problems that the slice does not have (any more)"
    return check("contamination", strays == 0, why, figures={"strays": strays})


def in_line(figures: Mapping[str, float], others: Sequence[Mapping[str, float]], drift: float) -> dg.AssetCheckResult:
    """Whether no figure is further than `drift` from its mean over other rounds, as a share of that mean."""
    means = {
        name: sum(known) / len(known) for name in figures if (known := [one[name] for one in others if name in one])
    }
    off = [
        f"{name} is {figures[name]:.3g}, {mean:.3g} in others"
        for name, mean in means.items()
        if abs(figures[name] - mean) > drift * abs(mean)
    ]
    why = ("; ".join(off) or "all figures are near those of other rounds") if means else "there is no other round"
    told = {**figures, **{f"{name}_of_others": mean for name, mean in means.items()}}
    return check(TREND, not off, why, blocks=False, figures=told)
