"""A filter is a set of named boolean expressions: it parts a frame in kept and dropped, each dropped row with a reason.

Knows nothing of what the columns mean.
"""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

REASON = "reason"


class Filtered(NamedTuple):
    """What a filter came to; `dropped` has one more column, `reason`."""

    kept: pl.DataFrame
    dropped: pl.DataFrame

    def counts(self) -> dict[str, int]:
        """Return the number of dropped rows per reason, most frequent first."""
        counted = self.dropped.group_by(REASON).len().sort(["len", REASON], descending=[True, False])
        return dict(counted.iter_rows())

    def then(self, rules: Mapping[str, pl.Expr]) -> "Filtered":
        """Filter what was kept by more rules; the rows that were dropped before stay dropped."""
        later = apply_rules(self.kept, rules)
        return Filtered(later.kept, pl.concat([self.dropped, later.dropped], how="diagonal_relaxed"))


def apply_rules(frame: pl.DataFrame, rules: Mapping[str, pl.Expr]) -> Filtered:
    """Keep the rows for which every expression is true; null counts as false, the first failing rule is the reason."""
    if REASON in frame.columns:
        raise ValueError(f"a frame to filter must have no column named {REASON!r}: rename it")
    failures = [pl.when(rule.fill_null(False)).then(None).otherwise(pl.lit(name)) for name, rule in rules.items()]
    first = pl.coalesce(failures) if failures else pl.lit(None)
    judged = frame.with_columns(first.cast(pl.String).alias(REASON))
    return Filtered(judged.filter(pl.col(REASON).is_null()).drop(REASON), judged.filter(pl.col(REASON).is_not_null()))
