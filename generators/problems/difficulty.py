"""How hard a problem is for the policy: its pass rate over the attempts, and a band with absolute bounds.

The bands are those of compute-optimal test-time scaling (arXiv 2502.06703).
"""

from dataclasses import dataclass

import polars as pl

from filters.answers.verdicts import Verdict
from generators.problems.table import PROBLEM_DIFFICULTY
from generators.records import Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class DifficultyBounds:
    """The lowest pass rates of an `easy` and of a `medium` problem; below that a problem is `hard`."""

    easy: float = 0.5
    medium: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.medium <= 1:
            raise ValueError(f"medium must be above 0 and at most 1, got {self.medium}")
        if not self.medium < self.easy <= 1:
            raise ValueError(f"easy must be above medium ({self.medium}) and at most 1, got {self.easy}")


def problem_difficulty_table(attempts: pl.DataFrame, provenance: Provenance) -> pl.DataFrame:
    """The `problem_difficulty` table of one slice, from its attempts."""
    origin = [pl.lit(value).alias(name) for name, value in provenance.items()]
    return PROBLEM_DIFFICULTY.validate(difficulty(attempts).with_columns(origin))


def difficulty(attempts: pl.DataFrame, bounds: DifficultyBounds | None = None) -> pl.DataFrame:
    """Return one row per problem, in the order of the attempts, with its pass rate over the decided attempts.

    A problem without a decided attempt has neither pass rate nor difficulty.
    """
    right = pl.col("is_right")
    counted = attempts.group_by("problem_id", maintain_order=True).agg(
        n_attempts=pl.len().cast(pl.Int64),
        n_right=right.sum().cast(pl.Int64),
        n_undecided=right.is_null().sum().cast(pl.Int64),
        n_no_answer=(pl.col("verdict") == Verdict.NO_ANSWER.value).sum().cast(pl.Int64),
    )
    return counted.with_columns(rating(bounds or DifficultyBounds()))


def rating(bounds: DifficultyBounds) -> list[pl.Expr]:
    """The pass rate and the difficulty, from the counts of attempts."""
    n_decided = pl.col("n_attempts") - pl.col("n_undecided")
    rate = pl.when(n_decided > 0).then(pl.col("n_right") / n_decided)
    band = (
        pl.when(rate >= bounds.easy)
        .then(pl.lit("easy"))
        .when(rate >= bounds.medium)
        .then(pl.lit("medium"))
        .when(rate.is_not_null())
        .then(pl.lit("hard"))
    )
    return [rate.alias("pass_rate"), band.alias("difficulty")]
