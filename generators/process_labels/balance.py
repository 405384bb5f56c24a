"""Balance two labels within a ratio: a model trained on nine rights in ten learns to say right.

A hash of its key, not its position, decides which row is dropped.
"""

from collections.abc import Sequence
from hashlib import blake2b

import polars as pl

NO_LABEL = "no_label"
MASKED = -100  # the label that no loss counts: `ignore_index` of PyTorch's cross-entropy, unless it is set
FREQUENT_LABEL = "frequent_label"
_TRUE, _FALSE, _NUMBER = "n_true_labels", "n_false_labels", "__row__"


def left_out(rows: pl.DataFrame, *, labels: str, key: Sequence[str], most: float) -> pl.Series:
    """For each row why it is left out, so that no label is more than `most` times as frequent; null for one that stays.

    `labels` holds a boolean for each row, or a list of labels of steps: booleans, or 1, 0 and MASKED, which counts as
    none. Only rows are dropped that have nothing but the frequent label, so the ratio may stay above `most`. Rows
    without any label are dropped first. Where the other label does not occur, no row with a label is left, since
    nothing balances it. `key` is unique.
    """
    if most < 1:
        raise ValueError(f"most must be at least 1, got {most}")
    if rows.select(pl.struct(*key).is_duplicated().any()).item():
        raise ValueError(f"key must name every row once: {', '.join(key)} does not")
    counted = rows.select(*key, *_counts(rows, labels)).with_row_index(_NUMBER)
    labelled = counted.filter(pl.col(_TRUE) + pl.col(_FALSE) > 0)
    too_many = labelled.filter(~pl.Series(_kept(labelled, key, most), dtype=pl.Boolean))
    reasons: list[str | None] = [NO_LABEL] * rows.height
    for number in labelled[_NUMBER]:
        reasons[number] = None
    for number in too_many[_NUMBER]:
        reasons[number] = FREQUENT_LABEL
    return pl.Series(reasons, dtype=pl.String)


def _counts(rows: pl.DataFrame, labels: str) -> tuple[pl.Expr, pl.Expr]:
    """How many true and how many false labels a row has; a null is no label."""
    column, is_list = pl.col(labels), isinstance(rows.schema[labels], pl.List)

    def count(value: int, name: str) -> pl.Expr:
        if is_list:
            found = column.list.eval((pl.element().cast(pl.Int64) == value).cast(pl.Int64)).list.sum()
        else:
            found = column.cast(pl.Int64) == value
        return found.cast(pl.Int64).fill_null(0).alias(name)

    return count(1, _TRUE), count(0, _FALSE)


def _kept(rows: pl.DataFrame, key: Sequence[str], most: float) -> list[bool]:
    n_true, n_false = int(rows[_TRUE].sum()), int(rows[_FALSE].sum())
    frequent, rare = (_TRUE, _FALSE) if n_true >= n_false else (_FALSE, _TRUE)
    surplus = max(n_true, n_false) - most * min(n_true, n_false)
    kept = [True] * rows.height
    of_frequent = rows.with_row_index("position").filter(pl.col(rare) == 0)
    digests = map(_digest, of_frequent.select(key).iter_rows())
    for _, position, count in sorted(zip(digests, of_frequent["position"], of_frequent[frequent], strict=True)):
        if surplus <= 0:
            break
        kept[position] = False
        surplus -= count
    return kept


def _digest(key: tuple[object, ...]) -> bytes:
    return blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=16).digest()
