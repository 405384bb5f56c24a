"""The tables of attempts and of how difficult problems are therefore; attempts as rows, and back.

Knows no files.
"""

import json
from collections.abc import Iterable
from typing import Any

import polars as pl

from filters.answers.checker import Verdict
from filters.schema import Column, TableSchema
from generators.columns import ATTEMPT_KEY, DECISION, KNOWN_VERDICT, ORIGIN, PROBLEM, SOLUTION, UNDECIDED
from generators.engine.protocol import Sampling
from generators.records import Attempt, Problem, Provenance

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


def attempts_table(attempts: Iterable[tuple[Problem, Attempt]], provenance: Provenance) -> pl.DataFrame:
    """The `attempts` table of one slice."""
    rows: list[dict[str, Any]] = []
    for problem, attempt in attempts:
        row = {name: getattr(attempt, name) for name in Attempt.__slots__}
        decided = None if attempt.verdict.is_undecided else attempt.verdict.is_right
        rows.append({**row, "source": problem.source, "is_right": decided, **provenance})
    return ATTEMPTS.frame(rows)


def attempts_of(frame: pl.DataFrame) -> dict[str, list[Attempt]]:
    """The attempts of an `attempts` table by problem id, in the order of their index."""
    by_problem: dict[str, list[Attempt]] = {}
    for row in frame.sort("problem_id", "attempt_index").select(Attempt.__slots__).iter_rows(named=True):
        row["verdict"] = Verdict(row["verdict"])
        row["token_ids"] = tuple(row["token_ids"])
        row["prompt_token_ids"] = tuple(row["prompt_token_ids"])
        by_problem.setdefault(row["problem_id"], []).append(Attempt(**row))
    return by_problem


def law_of(frame: pl.DataFrame) -> tuple[Sampling, int]:
    """The sampling and the token limit that an `attempts` table was drawn with; raises ValueError on a mixed table."""
    laws = frame.select("sampling", "max_tokens").unique().rows()
    if len(laws) != 1:
        raise ValueError(f"attempts must be drawn with one sampling, got {len(laws)}: materialise attempts again")
    return Sampling(**json.loads(laws[0][0])), laws[0][1]
