"""The table of attempts; attempts to rows, and back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from filters.answers.verdicts import DEFAULT_RULE, AnswerRule, Verdict
from filters.schema import Column, Schema
from generators.blocks import StoredTable
from generators.by_problem import ByProblem
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
from generators.token_columns import rows_with_ids

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
    rows = (rows_of(problem, [attempt], provenance, rule) for problem, attempt in attempts)
    return ATTEMPTS.frame([row for of_attempt in rows for row in of_attempt])


def rows_of(
    problem: Problem, attempts: Iterable[Attempt], provenance: Provenance, rule: AnswerRule
) -> Iterator[dict[str, Any]]:
    """The rows of the attempts at one problem, whose answers are counted by `rule`."""
    for attempt in attempts:
        row = {name: getattr(attempt, name) for name in Attempt.__slots__}
        yield {**row, "source": problem.source, "is_right": rule.is_right(attempt.verdict), **provenance}


def attempts_of(frame: pl.DataFrame) -> dict[str, list[Attempt]]:
    """The attempts of an `attempts` table by problem id, in the order of their index."""
    by_problem: dict[str, list[Attempt]] = {}
    rows = frame.sort("problem_id", "attempt_index")
    for row in rows_with_ids(rows, Attempt.__slots__, ("prompt_token_ids", "token_ids")):
        attempt = Attempt(**row | {"verdict": Verdict(row["verdict"])})
        by_problem.setdefault(attempt.problem_id, []).append(attempt)
    return by_problem


class StoredAttempts(Mapping[str, Sequence[Attempt]]):
    """The attempts of a slice on disk by problem, each problem's read when it is asked for."""

    def __init__(self, table: StoredTable) -> None:
        self._rows = ByProblem(table)

    def __getitem__(self, problem_id: str) -> list[Attempt]:
        if problem_id not in self._rows:
            raise KeyError(problem_id)
        return self.of(problem_id)

    def __contains__(self, problem_id: object) -> bool:
        return problem_id in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def of(self, problem_id: str) -> list[Attempt]:
        """The attempts at a problem, in the order of their index; none if it was not attempted."""
        return attempts_of(self._rows.of(problem_id)).get(problem_id, [])


def sampling_of(slice: Slice) -> tuple[Sampling, int]:
    """The sampling and the token limit that the attempts of a slice were drawn with, by their recipe."""
    config = slice.recipe("attempts")["config"]
    return Sampling(**config["sampling"]), config["max_tokens"]
