"""Values, labels and first errors of released rows, derived again from their counts alone.

Knows the strategies' arithmetic and the published columns, nothing of ledgers or folders: whoever has a release and its
manifest can check every label.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from generators.process_labels.labels import LABELS, with_labels
from generators.records import StepCounts
from generators.search.belief import Belief
from generators.search.priors import Priors
from generators.search.shares import share_values

MEASURES = ("soft_labels", "values_low", "values_high", "sound")
_DERIVED = ("values", "values_low", "values_high", "sound")
_COMPARED = (*MEASURES, "hard_labels", "first_error")
_FLOATS = pl.List(pl.Float64)
_TOLERANCE = 1e-6


def recompute(
    released: pl.DataFrame, *, hard_threshold: float, confidence: float, priors: Mapping[str, Priors]
) -> pl.DataFrame:
    """The rows with everything that follows from counts thrown away and derived anew.

    `priors` are those of the sequential test, by slice; a row of a strategy without them is valued by its shares.
    """
    rows = [_derived(row, priors) for row in released.iter_rows(named=True)]
    schema = {name: released.schema[name] if name in released.columns else _FLOATS for name in _DERIVED}
    anew = pl.DataFrame(rows, schema=schema)
    kept = released.drop(*_DERIVED, *LABELS, strict=False)
    return with_labels(kept.hstack(anew), hard_threshold=hard_threshold, confidence=confidence)


def differing(released: pl.DataFrame, anew: pl.DataFrame) -> list[int]:
    """The numbers of the rows whose values, labels or first error are not those of `anew`."""
    wrong = []
    for number, (one, other) in enumerate(zip(_told(released), _told(anew), strict=True)):
        if not close(one, other):
            wrong.append(number)
    return wrong


def _told(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    return rows.select(_COMPARED).rows()


def close(one: Any, other: Any) -> bool:
    """Whether two values are equal, numbers within what two machines may compute differently."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(close(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= _TOLERANCE
    return bool(one == other)


def _derived(row: Mapping[str, Any], priors: Mapping[str, Priors]) -> dict[str, Any]:
    counts = [
        StepCounts(n_correct=right, n_rollouts=n, n_undecided=undecided)
        for right, n, undecided in zip(row["n_correct"], row["n_rollouts"], row["n_undecided"], strict=True)
    ]
    if row["sound"] is None:
        values = share_values(counts)
        sound = None
    else:
        belief = Belief.of(
            counts, n_right=row["n_attempts_right"], n_attempts=row["n_attempts"], priors=priors[row["slice"]]
        )
        values, sound = belief.values(), belief.sound
    return {"values": values.mean, "values_low": values.low, "values_high": values.high, "sound": sound}
