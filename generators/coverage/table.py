"""The tables of coverage, and of the problems without a curve; attempts as rows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from filters.answers.groups import group_answers
from filters.answers.verdicts import AnswerRule
from filters.schema import Column, Schema
from generators.columns import COUNTS, ORIGIN, PROBLEM, REASON, each, length
from generators.coverage.curves import NO_ANSWER, RIGHT, curves_of, sizes_up_to

READ = ("problem_id", "attempt_index", "token_ids", "extracted", "is_right")
_CURVE = pl.List(pl.Float64)

COVERAGE = Schema(
    name="coverage",
    columns={
        **PROBLEM,
        "n_decided": Column(pl.Int64, "The decided ones among the first attempts at the problem."),
        "n_right": Column(pl.Int64, "The right ones among these."),
        "pass_rate": Column(pl.Float64, "`n_right` over `n_decided`."),
        "answer_numbers": Column(
            COUNTS,
            f"Of each decided attempt, by index: {RIGHT} if right, {NO_ANSWER} without an answer, else the number of "
            "its wrong answer.",
        ),
        "n_tokens": Column(COUNTS, "Of each decided attempt, its tokens."),
        "k": Column(COUNTS, "The numbers of attempts that the curves are over: powers of two up to `n_decided`."),
        "pass_at_k": Column(_CURVE, "Coverage: the probability that one of k attempts is right, without bias."),
        "majority_at_k": Column(_CURVE, "The probability that the most frequent answer of k attempts is right."),
        "first_finish_at_k": Column(
            _CURVE, "The probability that of k attempts the one with the fewest tokens is right."
        ),
        "shortest_k_majority": Column(
            _CURVE,
            "Whether the most frequent answer among the k attempts with the fewest tokens is right; ties in part.",
        ),
        "tokens_at_k": Column(_CURVE, "Tokens of k attempts, in the mean."),
        "first_finish_tokens_at_k": Column(_CURVE, "Tokens of k attempts that all stop when the first one ends."),
        **ORIGIN,
    },
    key=("problem_id",),
    rules={
        "n_decided: some": pl.col("n_decided") > 0,
        "answer_numbers: of_each_decided_attempt": length("answer_numbers") == pl.col("n_decided"),
        "n_tokens: of_each_decided_attempt": length("n_tokens") == pl.col("n_decided"),
        "answer_numbers: known": each("answer_numbers", pl.element() >= NO_ANSWER),
    },
)
DROPPED = Schema(name="coverage_dropped", columns={"problem_id": PROBLEM["problem_id"], "reason": REASON})


def measured(attempts: pl.DataFrame, *, draws: int, rule: AnswerRule) -> Iterator[dict[str, Any]]:
    """What was measured of each problem by the decided ones among its first attempts; none if there is none."""
    first = attempts.filter((pl.col("attempt_index") < draws) & pl.col("is_right").is_not_null()).sort(
        "problem_id", "attempt_index"
    )
    texts = first.with_columns(n_tokens=pl.col("token_ids").list.len().cast(pl.Int64))
    for (problem_id,), drawn in texts.group_by("problem_id", maintain_order=True):
        answers = numbered(drawn["is_right"].to_list(), drawn["extracted"].to_list(), rule)
        yield {"problem_id": problem_id, "answer_numbers": answers, "n_tokens": drawn["n_tokens"].to_list()}


def numbered(are_right: Sequence[bool], extracted: Sequence[str | None], rule: AnswerRule) -> list[int]:
    """`RIGHT`, `NO_ANSWER` or the number of the wrong answer of each attempt, from 1 in the order of occurrence."""
    wrong = [
        index
        for index, (is_right, answer) in enumerate(zip(are_right, extracted, strict=True))
        if not is_right and answer
    ]
    numbers = [RIGHT if is_right else NO_ANSWER for is_right in are_right]
    for number, group in enumerate(group_answers([extracted[index] or "" for index in wrong], rule), start=1):
        for place in group:
            numbers[wrong[place]] = number
    return numbers


def derived(row: Mapping[str, Any]) -> dict[str, Any]:
    """Counts, pass rate and curves of a row, from its `answer_numbers` and `n_tokens`."""
    answers = row["answer_numbers"]
    n, right = len(answers), answers.count(RIGHT)
    counts: dict[str, Any] = {"n_decided": n, "n_right": right, "pass_rate": right / n, "k": sizes_up_to(n)}
    return counts | curves_of(answers, row["n_tokens"])
