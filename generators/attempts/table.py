"""The table of attempts; attempts to rows, and back."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from filters.answers.verdicts import DEFAULT_RULE, AnswerRule, Verdict
from filters.schema import Column, Schema
from generators.columns import (
    ATTEMPT_KEY,
    DECISION,
    FOUND,
    KNOWN_VERDICT,
    ORIGIN,
    PROBLEM,
    SOLUTION,
    outcome_follows_verdict,
)
from generators.engine.protocol import Sampling
from generators.records import Attempt, Problem, Provenance
from generators.stage import Slice
from generators.token_columns import ids_of

NO_ANSWER = "no_answer"  # in the recipe of a slice: how an attempt without a recognised answer counts
ATTEMPTS = Schema(
    name="attempts",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "source": PROBLEM["source"],
        **SOLUTION,
        "text": Column(pl.String, "The solution as text."),
        "finish_reason": Column(pl.String, "Why the solution ended: `eos`, `stop` or `length`."),
        **DECISION,
        "is_right": Column(pl.Boolean, "Whether the verdict is `equal`; null if undecided.", nullable=True),
        "sampling": Column(pl.String, "The sampling params that the tokens were drawn with, as JSON."),
        "max_tokens": Column(pl.Int64, "The most tokens that a solution could have."),
        **ORIGIN,
    },
    key=ATTEMPT_KEY,
    rules={
        "attempt_index: not_negative": pl.col("attempt_index") >= 0,
        "finish_reason: known": pl.col("finish_reason").is_in(["eos", "stop", "length"]),
        "verdict: known": KNOWN_VERDICT,
        "found_by: of_an_answer": FOUND,
        "is_right: follows_verdict": outcome_follows_verdict("is_right"),
    },
)


def attempts_table(
    attempts: Iterable[tuple[Problem, Attempt]], provenance: Provenance, rule: AnswerRule = DEFAULT_RULE
) -> pl.DataFrame:
    """The `attempts` table of one slice, whose answers are counted by `rule`."""
    rows: list[dict[str, Any]] = []
    for problem, attempt in attempts:
        row = {name: getattr(attempt, name) for name in Attempt.__slots__}
        rows.append({**row, "source": problem.source, "is_right": rule.is_right(attempt.verdict), **provenance})
    return ATTEMPTS.frame(rows)


def attempts_of(frame: pl.DataFrame) -> dict[str, list[Attempt]]:
    """The attempts of an `attempts` table by problem id, in the order of their index."""
    by_problem: dict[str, list[Attempt]] = {}
    rows = frame.sort("problem_id", "attempt_index")
    others = rows.select(name for name in Attempt.__slots__ if name not in ("prompt_token_ids", "token_ids"))
    ids = zip(ids_of(rows["prompt_token_ids"]), ids_of(rows["token_ids"]), strict=True)
    for row, (prompt, solution) in zip(others.iter_rows(named=True), ids, strict=True):
        row["verdict"] = Verdict(row["verdict"])
        attempt = Attempt(**row, prompt_token_ids=prompt, token_ids=solution)
        by_problem.setdefault(attempt.problem_id, []).append(attempt)
    return by_problem


def sampling_of(slice: Slice) -> tuple[Sampling, int]:
    """The sampling and the token limit that the attempts of a slice were drawn with, by their recipe."""
    config = slice.recipe("attempts")["config"]
    return Sampling(**config["sampling"]), config["max_tokens"]
