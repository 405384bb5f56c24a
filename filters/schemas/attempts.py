"""Problems, the attempts at them, and how difficult they are therefore."""

import polars as pl

from filters.schemas.columns import (
    ATTEMPT_KEY,
    DECISION,
    IS_ANSWERED,
    KNOWN_VERDICT,
    OPTIONAL_ANSWER,
    ORIGIN,
    PROBLEM,
    SOLUTION,
    UNDECIDED,
)
from filters.tables import Column, TableSchema
from filters.verdicts import Verdict

PROBLEMS = TableSchema(
    name="problems",
    columns={**PROBLEM, "answer": OPTIONAL_ANSWER},
    key=("problem_id",),
    rules={
        "prompt: not_blank": pl.col("prompt").str.strip_chars() != "",
        "answer: of_all_of_a_source_or_none": IS_ANSWERED.n_unique().over("source") == 1,
    },
)

ATTEMPTS = TableSchema(
    name="attempts",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "source": PROBLEM["source"],
        **SOLUTION,
        "text": Column(pl.String, "The solution as text."),
        "finish_reason": Column(pl.String, "Why it ended: `eos`, `stop` or `length`."),
        **DECISION,
        "is_right": Column(pl.Boolean, "Whether the verdict is `equal`; null where undecided.", nullable=True),
        "sampling": Column(pl.String, "The sampling that the tokens were drawn with, as JSON."),
        "max_tokens": Column(pl.Int64, "How many tokens a solution was allowed."),
        **ORIGIN,
    },
    key=ATTEMPT_KEY,
    rules={
        "attempt_index: not_negative": pl.col("attempt_index") >= 0,
        "finish_reason: known": pl.col("finish_reason").is_in(["eos", "stop", "length"]),
        "verdict: known": KNOWN_VERDICT,
        "is_right: follows_verdict": pl.when(pl.col("verdict").is_in(UNDECIDED))
        .then(pl.col("is_right").is_null())
        .otherwise(pl.col("is_right") == (pl.col("verdict") == Verdict.EQUAL.value)),
    },
)

PROBLEM_DIFFICULTY = TableSchema(
    name="problem_difficulty",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "n_attempts": Column(pl.Int64, "How many attempts were made."),
        "n_right": Column(pl.Int64, "How many of them ended right."),
        "n_undecided": Column(pl.Int64, "How many could not be decided."),
        "pass_rate": Column(pl.Float64, "Right ones among the decided; null without one.", nullable=True),
        "difficulty": Column(pl.String, "`easy`, `medium` or `hard` by pass rate; null without one.", nullable=True),
    },
    key=("problem_id",),
    rules={
        "n_attempts: covers_its_parts": pl.col("n_right") + pl.col("n_undecided") <= pl.col("n_attempts"),
        "difficulty: follows_pass_rate": pl.col("difficulty").is_null() == pl.col("pass_rate").is_null(),
        "difficulty: known": pl.col("difficulty").fill_null("easy").is_in(["easy", "medium", "hard"]),
    },
)
