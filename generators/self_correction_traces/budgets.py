"""Success by budget: the share of samples that are right after a number of tokens, for each method."""

from collections.abc import Sequence

import polars as pl

SAMPLE = ("method", "problem_id", "sample_index")


def success_by_budget(outcomes: pl.DataFrame, budgets: Sequence[int]) -> pl.DataFrame:
    """The pass rate of every method at each budget (tokens per sample), methods and budgets in order.

    `outcomes` has a row for each time that a sample's answer was checked: `method`, `problem_id`, `sample_index`, the
    `tokens` generated until then, `is_right`, null if undecided, and whether there was `no_answer`. At a budget the
    last check within it counts. A sample without such a check is not right; undecided samples are left out.
    `mean_tokens` is what was spent: at most the budget, and at most what the sample took. Raises ValueError if a budget
    is below 1.
    """
    if not budgets or min(budgets) < 1:
        raise ValueError(f"budgets must hold at least one budget, none below 1, got {list(budgets)}")
    checks = outcomes.sort(*SAMPLE, "tokens")
    samples = checks.group_by(SAMPLE, maintain_order=True).agg(taken=pl.col("tokens").max())
    grid = samples.join(pl.DataFrame({"budget": sorted(set(budgets))}, schema={"budget": pl.Int64}), how="cross")
    within = (
        grid.join(checks, on=SAMPLE, how="left")
        .filter(pl.col("tokens") <= pl.col("budget"))
        .group_by(*SAMPLE, "budget", maintain_order=True)
        .agg(pl.col("is_right", "no_answer").last(), checked=pl.lit(True).first())
    )
    right = pl.when(pl.col("checked").is_null()).then(False).otherwise(pl.col("is_right"))
    return (
        grid.join(within, on=(*SAMPLE, "budget"), how="left", maintain_order="left")
        .with_columns(is_right=right)
        .group_by("method", "budget")
        .agg(
            n_samples=pl.len().cast(pl.Int64),
            n_undecided=pl.col("is_right").is_null().sum().cast(pl.Int64),
            n_no_answer=pl.col("no_answer").sum().cast(pl.Int64),
            pass_rate=pl.col("is_right").mean(),
            mean_tokens=pl.min_horizontal("taken", "budget").mean(),
        )
        .sort("method", "budget")
    )
