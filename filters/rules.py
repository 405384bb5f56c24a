"""Split a frame into kept and dropped rows by named boolean expressions; each dropped row carries a reason."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import polars as pl

REASON = "reason"


class Filtered(NamedTuple):
    """The rows a filter kept, and those it dropped with an extra column `reason`."""

    kept: pl.DataFrame
    dropped: pl.DataFrame

    def counts(self) -> dict[str, int]:
        """Return the number of dropped rows per reason, most frequent first."""
        counts = self.dropped.group_by(REASON).len().sort(["len", REASON], descending=[True, False])
        return dict(counts.iter_rows())

    def then(self, rules: Mapping[str, pl.Expr]) -> "Filtered":
        """Apply more rules to the kept rows; rows already dropped stay dropped."""
        filtered = apply_rules(self.kept, rules)
        return Filtered(filtered.kept, pl.concat([self.dropped, filtered.dropped], how="diagonal_relaxed"))


def concatenated(parts: Iterable[Filtered]) -> Filtered:
    """What was kept and dropped of several parts of a frame, at least one."""
    kept, dropped = zip(*((part.kept, part.dropped) for part in parts), strict=True)
    return Filtered(pl.concat(kept), pl.concat(dropped))


def most_frequent(reasons: Mapping[str, int], at_most: int | None = None) -> str:
    """The reasons as words, the most frequent first: `12 wrong, 3 truncated`, or `nothing`."""
    by_count = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {reason}" for reason, count in by_count[:at_most]) or "nothing"


def reason_counts(dropped: pl.DataFrame) -> dict[str, int]:
    """Number of rows per value of the column `reason`."""
    return dict(dropped.group_by(REASON).len().iter_rows())


def apply_rules(frame: pl.DataFrame, rules: Mapping[str, pl.Expr]) -> Filtered:
    """Keep the rows for which every expression is true; null counts as false, the first failed rule is the reason."""
    if REASON in frame.columns:
        raise ValueError(f"a frame to filter must have no column named {REASON!r}: rename it")
    failures = [pl.when(rule.fill_null(False)).then(None).otherwise(pl.lit(name)) for name, rule in rules.items()]
    reason = pl.coalesce(failures) if failures else pl.lit(None)
    marked = frame.with_columns(reason.cast(pl.String).alias(REASON))
    return Filtered(marked.filter(pl.col(REASON).is_null()).drop(REASON), marked.filter(pl.col(REASON).is_not_null()))
