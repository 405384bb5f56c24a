"""As many rows of one label as of the other, within a ratio: whoever trains on nine rights in ten learns to say right.

Knows nothing of what a label means. Which rows go is settled by a hash of their key, not by their order.
"""

from collections.abc import Sequence
from hashlib import blake2b

import polars as pl

from filters.rules import Filtered, apply_rules

NO_LABEL = "no_label"
FREQUENT_LABEL = "frequent_label"
_TRUE, _FALSE, _KEPT = "n_true_labels", "n_false_labels", "is_kept_for_balance"


def balance(rows: pl.DataFrame, *, labels: str, key: Sequence[str], most: float) -> Filtered:
    """Drop rows of the more frequent label until it is at most `most` times as frequent as the other.

    `labels` holds a boolean a row, or a list of them (the labels of steps): then whole rows are dropped whose labels
    are all the frequent one, as far as these reach. Rows without any label are dropped first. Where the other label
    does not occur, no row with one label is left: nothing can balance it. `key` names a row, and no two share one.
    """
    if most < 1:
        raise ValueError(f"most must be at least 1, got {most}")
    if rows.select(pl.struct(*key).is_duplicated().any()).item():
        raise ValueError(f"key must name every row once: {', '.join(key)} does not")
    counted = rows.with_columns(*_counts(rows, labels))
    labelled = apply_rules(counted, {NO_LABEL: pl.col(_TRUE) + pl.col(_FALSE) > 0})
    kept = pl.Series(_KEPT, _kept(labelled.kept, key, most), dtype=pl.Boolean)
    balanced = Filtered(labelled.kept.with_columns(kept), labelled.dropped).then({FREQUENT_LABEL: pl.col(_KEPT)})
    extra = (_TRUE, _FALSE, _KEPT)
    return Filtered(balanced.kept.drop(extra), balanced.dropped.drop(extra, strict=False))


def _counts(rows: pl.DataFrame, labels: str) -> tuple[pl.Expr, pl.Expr]:
    """How many labels of each kind a row has; a null is no label."""
    column = pl.col(labels)
    if rows.schema[labels] == pl.Boolean:
        column = column.cast(pl.Int64)
        true, false = column, 1 - column
    else:
        true = column.list.eval(pl.element().cast(pl.Int64)).list.sum()
        false = column.list.eval(1 - pl.element().cast(pl.Int64)).list.sum()
    return true.fill_null(0).cast(pl.Int64).alias(_TRUE), false.fill_null(0).cast(pl.Int64).alias(_FALSE)


def _kept(rows: pl.DataFrame, key: Sequence[str], most: float) -> list[bool]:
    n_true, n_false = int(rows[_TRUE].sum()), int(rows[_FALSE].sum())
    frequent, rare = (_TRUE, _FALSE) if n_true >= n_false else (_FALSE, _TRUE)
    surplus = max(n_true, n_false) - most * min(n_true, n_false)
    kept = [True] * rows.height
    places = [place for place, count in enumerate(rows[rare]) if count == 0]
    names = list(rows.select(key).iter_rows())
    for place in sorted(places, key=lambda place: _digest(names[place])):
        if surplus <= 0:
            break
        kept[place] = False
        surplus -= rows[frequent][place]
    return kept


def _digest(name: tuple[object, ...]) -> bytes:
    return blake2b(repr(name).encode("utf-8", "surrogatepass"), digest_size=16).digest()
