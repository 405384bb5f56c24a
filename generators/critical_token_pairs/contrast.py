"""What the contrast of the models is worth on solutions that they never saw, by the rows of pairs."""

from collections.abc import Mapping

import polars as pl

SATURATED = 0.05  # a weight below it all but leaves its token out of the loss
CONTRAST = (  # the columns that are counted
    *("response_start", "rejected_token_ids", "rejected_weights", "rejected_scores"),
    *("chosen_log_ratios", "rejected_log_ratios"),
)
_SOLUTION = (  # the tokens that are weighed: all of the solution but its end-of-text token
    pl.col("response_start"),
    pl.col("rejected_token_ids").list.len().cast(pl.Int64) - pl.col("response_start") - 1,
)


def count_contrast(rows: pl.DataFrame) -> dict[str, int]:
    """The pairs, those whose right solution has the higher log ratio, and the tokens that hardly weigh.

    `saturated_scores` counts the tokens whose weight would be below 0.05 as the paper has it, 1 less the score.
    """
    weights = pl.col("rejected_weights").list.slice(*_SOLUTION)
    scores = pl.col("rejected_scores").list.slice(*_SOLUTION)
    counts = rows.select(
        pl.len().alias("pairs"),
        (pl.col("chosen_log_ratios").list.sum() > pl.col("rejected_log_ratios").list.sum()).sum().alias("told_apart"),
        weights.list.len().sum().alias("tokens"),
        weights.list.eval(pl.element() < SATURATED).list.sum().sum().alias("saturated"),
        scores.list.eval(1 - pl.element() < SATURATED).list.sum().sum().alias("saturated_scores"),
    )
    return {name: int(count or 0) for name, count in counts.row(0, named=True).items()}


def contrast_figures(counts: Mapping[str, int]) -> dict[str, float]:
    """The shares of `count_contrast`; empty without a pair."""
    if not counts.get("pairs"):
        return {}
    return {
        "pairs": counts["pairs"],
        "right_solution_preferred": counts["told_apart"] / counts["pairs"],
        "weights_below_0.05": counts["saturated"] / counts["tokens"],
        "below_0.05_as_1_less_the_score": counts["saturated_scores"] / counts["tokens"],
    }
