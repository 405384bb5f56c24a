"""The tables of contrast pairs, and of the attempts that are in none."""

import polars as pl

from filters.answers.verdicts import Verdict
from filters.schema import Column, Schema
from generators.columns import ORIGIN, PROBLEM, REASON

_WRONG = [verdict.value for verdict in Verdict if not verdict.is_right]
_ADVANTAGE = "reward (1 or -1) less the mean reward of the other decided attempts"

CONTRAST_PAIRS = Schema(
    name="contrast_pairs",
    columns={
        **PROBLEM,
        "chosen": Column(pl.String, "The right solution."),
        "rejected": Column(pl.String, "The wrong solution."),
        "rejected_verdict": Column(pl.String, "The verdict on the wrong solution."),
        "chosen_index": Column(pl.Int64, "Which of the attempts at the problem the right solution is."),
        "rejected_index": Column(pl.Int64, "Which of them the wrong solution is."),
        "chosen_advantage": Column(pl.Float64, f"The right solution's {_ADVANTAGE}."),
        "rejected_advantage": Column(pl.Float64, f"The wrong solution's {_ADVANTAGE}."),
        "n_right": Column(pl.Int64, "The right ones among the first attempts at the problem."),
        "n_decided": Column(pl.Int64, "How many of the first attempts count: those that are decided, unless set."),
        "pass_rate": Column(pl.Float64, "`n_right` over `n_decided`."),
        "chosen_n_tokens": Column(pl.Int64, "Tokens of the right solution."),
        "rejected_n_tokens": Column(pl.Int64, "Tokens of the wrong solution."),
        **ORIGIN,
    },
    key=("problem_id", "chosen_index", "rejected_index"),
    rules={
        **{f"{side}: not_blank": pl.col(side).str.strip_chars() != "" for side in ("chosen", "rejected")},
        "chosen: differs_from_rejected": pl.col("chosen").str.strip_chars() != pl.col("rejected").str.strip_chars(),
        "chosen_index: is_another_attempt": pl.col("chosen_index") != pl.col("rejected_index"),
        "rejected_verdict: not_right": pl.col("rejected_verdict").is_in(_WRONG),
        "n_right: some_but_not_all": (pl.col("n_right") > 0) & (pl.col("n_right") < pl.col("n_decided")),
    },
)

DROPPED = Schema(
    name="contrast_pairs_dropped",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "attempt_index": Column(pl.Int64, "The attempt that is in no pair; null for a whole problem.", nullable=True),
        "reason": REASON,
    },
)
