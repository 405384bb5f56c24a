"""Labels from counts: soft, hard and first error, as pure functions on frames.

Soft and hard estimation are Math-Shepherd's (arXiv 2312.08935); the index of the first error follows ProcessBench.
Knows nothing of releases: whoever holds the counts can derive the labels again.
"""

import polars as pl

LABELS = ("soft_labels", "hard_labels", "first_error")


def with_labels(rows: pl.DataFrame, *, hard_threshold: float) -> pl.DataFrame:
    """Add `soft_labels`, `hard_labels` and `first_error`, from `n_correct` and `n_rollouts` alone.

    A step without a decided rollout has null labels. `first_error` is the 0-based index of the first step whose hard
    label is false, -1 when all are true, and null when a step without label comes first, since the error may be there.
    Raises ValueError when `hard_threshold` is not in [0, 1).
    """
    if not 0 <= hard_threshold < 1:
        raise ValueError(f"hard_threshold must be at least 0 and below 1, got {hard_threshold}")
    share = pl.element()
    soft = (pl.col("n_correct") / pl.col("n_rollouts")).list.eval(pl.when(share.is_not_nan()).then(share))
    hard = pl.col("soft_labels").list.eval(share > hard_threshold)
    return (
        rows.with_columns(soft.alias("soft_labels"))
        .with_columns(hard.alias("hard_labels"))
        .with_columns(_first_error(pl.col("hard_labels")).alias("first_error"))
    )


def recompute(released: pl.DataFrame, *, hard_threshold: float) -> pl.DataFrame:
    """The released rows with their labels thrown away and derived again from the counts."""
    return with_labels(released.drop(LABELS), hard_threshold=hard_threshold)


def count_labels(rows: pl.DataFrame) -> dict[str, int]:
    """How many steps are labelled right and wrong, and how many have no label."""
    labels = rows["hard_labels"].explode(keep_nulls=True, empty_as_null=False)
    return {
        "right": int(labels.sum()),
        "wrong": int((~labels).sum()),
        "undecided": labels.null_count(),
    }


def _first_error(hard: pl.Expr) -> pl.Expr:
    not_surely_right = hard.list.eval(pl.element().fill_null(False).not_().cast(pl.Int8))
    first = not_surely_right.list.arg_max()
    return (
        pl.when(not_surely_right.list.max() == 0)
        .then(-1)
        .when(hard.list.get(first).is_not_null())
        .then(first.cast(pl.Int64))
        .cast(pl.Int64)
    )
