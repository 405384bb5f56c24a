"""Whether rollouts and judge agree on the first wrong step: the consensus filter of Qwen2.5-Math-PRM.

A row is kept when both name the same step, or both name none (arXiv 2501.07301). An index is 0-based; -1 stands for no
wrong step, null for no verdict.
"""

import polars as pl

from filters.texts.quality import Rules


def consensus(label: int | None, judged: int | None) -> bool:
    """Whether both name the same step, or both say that none is wrong; no verdict agrees with nothing."""
    return label is not None and label == judged


def agreement(
    rows: pl.DataFrame, first_error: str = "first_error", judged: str = "judge_first_error"
) -> dict[str, int]:
    """How many rows have the same step from both, no wrong step from both, different ones, or no verdict from one."""
    label, second = pl.col(first_error), pl.col(judged)
    is_same = label == second
    kinds = {
        "same_step": is_same & (label >= 0),
        "both_none": is_same & (label < 0),
        "differ": ~is_same,
        "silent": is_same.is_null(),
    }
    return rows.select(holds.sum().alias(name) for name, holds in kinds.items()).row(0, named=True)


def same_first_error(first_error: str = "first_error", judged: str = "judge_first_error") -> Rules:
    """Rules that keep the rows for which `consensus` holds; the drop reason says who differs or has no verdict."""
    label, second = pl.col(first_error), pl.col(judged)
    return {
        "label_not_sure": label.is_not_null(),
        "judge_no_verdict": second.is_not_null(),
        "judge_disagrees": label == second,
    }
