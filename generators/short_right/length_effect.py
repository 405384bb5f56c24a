"""How often a right attempt is shorter than a wrong one of the same problem, beside the same over all problems.

Hard problems have long solutions and wrong ones, so over all problems right attempts are shorter even where length says
nothing about rightness. Within a problem it is the Mann-Whitney statistic; chance is a permutation of which of the
problem's attempts are right, whose variance is known (Lehmann 1975, Nonparametrics, section 1.4, with ties).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from filters.answers.verdicts import Verdict
from generators.rows import PROBLEM

LENGTH_COLUMNS = (PROBLEM, "verdict", "finish_reason", "token_ids")  # what it reads of the attempts
_DEVIATIONS = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthEffect:
    """The probability that a right attempt is shorter than a wrong one, ties counted half; the mean over groups.

    From `low` to `high` lie 95 % of the values that permuting right and wrong within each group gives, by the normal
    approximation. All three are None if no group has a right and a wrong attempt. A group is a problem, or all of them.
    """

    share: float | None
    low: float | None
    high: float | None
    n_groups: int
    n_pairs: int

    @property
    def figures(self) -> dict[str, float | None]:
        """The figures as a row of a table."""
        return {
            "right_is_shorter": self.share,
            "chance_low": self.low,
            "chance_high": self.high,
            "groups": self.n_groups,
            "pairs": self.n_pairs,
        }


def lengths_of(blocks: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The attempts as `problem_id`, `n_tokens`, `is_right` (null if neither right nor wrong) and `is_cut`."""
    is_decided = pl.col("verdict").is_in([Verdict.EQUAL.value, Verdict.DIFFERENT.value])
    return pl.concat(
        block.select(
            PROBLEM,
            n_tokens=pl.col("token_ids").list.len().cast(pl.Int64),
            is_right=pl.when(is_decided).then(pl.col("verdict") == Verdict.EQUAL.value),
            is_cut=pl.col("finish_reason") == "length",
        )
        for block in blocks
    )


def count_attempts(lengths: pl.DataFrame) -> dict[str, int]:
    """How many attempts ended right, ended wrong, ended without a decided answer, and were cut off."""
    ended, is_right = ~pl.col("is_cut"), pl.col("is_right")
    kinds = {
        "right": ended & is_right,
        "wrong": ended & ~is_right,
        "undecided": ended & is_right.is_null(),
        "truncated": ~ended,
    }
    return {name: lengths.filter(kind).height for name, kind in kinds.items()}


def length_effects(lengths: pl.DataFrame) -> Mapping[str, LengthEffect]:
    """The effect within problems, with attempts that were cut off counted as wrong, and over all problems."""
    is_cut = pl.col("is_cut")
    ended = lengths.filter(~is_cut)
    return {
        "within_problems": length_effect(ended),
        "within_problems_with_cut_off_ones_as_wrong": length_effect(
            lengths.with_columns(is_right=pl.col("is_right") & ~is_cut)
        ),
        "over_all_problems": length_effect(ended.with_columns(pl.lit("").alias(PROBLEM))),
    }


def length_effect(lengths: pl.DataFrame) -> LengthEffect:
    """The effect within each `problem_id`; rows whose `is_right` is null do not count."""
    decided = lengths.filter(pl.col("is_right").is_not_null())
    ranked = decided.with_columns(
        rank=pl.col("n_tokens").rank("average").over(PROBLEM), tied=pl.len().over(PROBLEM, "n_tokens").cast(pl.Float64)
    )
    counts = ranked.group_by(PROBLEM).agg(
        n=pl.len().cast(pl.Float64),
        right=pl.col("is_right").sum().cast(pl.Float64),
        ranks=pl.col("rank").filter("is_right").sum(),
        ties=(pl.col("tied") ** 2 - 1).sum(),  # over the attempts; over the lengths it is the sum of t^3 - t
    )
    n, right, wrong = pl.col("n"), pl.col("right"), pl.col("n") - pl.col("right")
    groups = counts.filter((right > 0) & (wrong > 0)).select(
        pairs=right * wrong,
        share=1 - (pl.col("ranks") - right * (right + 1) / 2) / (right * wrong),
        variance=(n + 1 - pl.col("ties") / (n * (n - 1))) / (12 * right * wrong),
    )
    if groups.is_empty():
        return LengthEffect(share=None, low=None, high=None, n_groups=0, n_pairs=0)
    reach = _DEVIATIONS * math.sqrt(math.fsum(groups["variance"])) / groups.height
    return LengthEffect(
        share=math.fsum(groups["share"]) / groups.height,
        low=max(0.0, 0.5 - reach),
        high=min(1.0, 0.5 + reach),
        n_groups=groups.height,
        n_pairs=int(groups["pairs"].sum()),
    )
