"""Do two ways of finding the first wrong step agree? The consensus filter of Qwen2.5-Math-PRM.

A row is kept when rollouts and judge name the same step, or both none (arXiv 2501.07301). Knows nothing
of how either was found. An index is 0-based, -1 says that every step is right, null that nothing can be said.
"""

import polars as pl

from filters.quality import Rules


def consensus(label: int | None, judged: int | None) -> bool:
    """Whether both name the same step, or both say that there is no wrong one; silence agrees with nothing."""
    return label is not None and label == judged


def same_first_error(first_error: str = "first_error", judged: str = "judge_first_error") -> Rules:
    """The rows for which `consensus` holds; of the others, whose silence or what disagreement dropped them."""
    label, second = pl.col(first_error), pl.col(judged)
    return {
        "label_not_sure": label.is_not_null(),
        "judge_no_verdict": second.is_not_null(),
        "judge_disagrees": label == second,
    }
