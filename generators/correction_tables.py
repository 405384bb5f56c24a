"""Deepened responses and corrections as table rows, and what corrections read from labels.

Knows no files. The tables' dtypes and rules are declared in `filters.schemas`.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

import polars as pl

from filters.answers import Verdict
from filters.schemas import DEEPENED_RESPONSES, SELF_CORRECTION_TRACES
from generators.prompts import solve
from generators.records import (
    Attempt,
    Boundary,
    Correction,
    DeepenedResponse,
    FlawedSolution,
    MaskedSpan,
    Problem,
    Segment,
)
from generators.tables import Provenance


def deepened_responses_table(
    responses: Iterable[tuple[Problem, DeepenedResponse]], provenance: Provenance
) -> pl.DataFrame:
    """The `deepened_responses` table of one slice."""
    rows = [
        {
            "problem_id": problem.problem_id,
            "source": problem.source,
            "sample_index": response.sample_index,
            "prompt_token_ids": response.prompt_token_ids,
            **_response(response.segments, response.boundaries),
            "budgets": [boundary.budget for boundary in response.boundaries],
            "generated": [boundary.generated for boundary in response.boundaries],
            "finish_reason": response.finish_reason,
            "verdict": response.verdict,
            "extracted": response.extracted,
            "is_right": None if response.verdict.is_undecided else response.verdict.is_right,
            **provenance,
        }
        for problem, response in responses
    ]
    return DEEPENED_RESPONSES.frame(rows)


def self_correction_traces_table(corrections: Iterable[Correction], provenance: Provenance) -> pl.DataFrame:
    """The `self_correction_traces` table of one slice."""
    rows = [
        {
            **{name: getattr(correction.problem, name) for name in Problem.__slots__},
            "attempt_index": correction.attempt_index,
            "origin": correction.origin,
            "messages": [
                *solve.messages(correction.problem.prompt),
                {"role": "assistant", "content": correction.text},
            ],
            "prompt_token_ids": correction.prompt_token_ids,
            **_response(correction.segments, correction.boundaries),
            "loss_mask": _loss_mask(len(correction.token_ids), correction.masked),
            "masked_starts": [span.start for span in correction.masked],
            "masked_ends": [span.end for span in correction.masked],
            "masked_token_starts": [span.token_start for span in correction.masked],
            "masked_token_ends": [span.token_end for span in correction.masked],
            **provenance,
        }
        for correction in corrections
    ]
    return SELF_CORRECTION_TRACES.frame(rows)


def flawed_of(frame: pl.DataFrame) -> dict[str, list[FlawedSolution]]:
    """The wrong solutions of a `process_labels` table with its `first_error`, by problem id, where that is known."""
    located = frame.filter(pl.col("first_error") >= 0, pl.col("verdict") == Verdict.DIFFERENT.value)
    by_problem: dict[str, list[FlawedSolution]] = {}
    for row in located.sort("problem_id", "attempt_index", "strategy").iter_rows(named=True):
        attempt = Attempt(
            problem_id=row["problem_id"],
            attempt_index=row["attempt_index"],
            prompt_token_ids=tuple(row["prompt_token_ids"]),
            token_ids=tuple(row["token_ids"]),
            text="".join(row["steps"]),
            finish_reason="eos",  # only finished solutions are labelled
            verdict=Verdict(row["verdict"]),
            extracted=row["extracted"],
        )
        flawed = FlawedSolution(attempt=attempt, step_ends=tuple(row["step_ends"]), first_error=row["first_error"])
        by_problem.setdefault(row["problem_id"], []).append(flawed)
    return by_problem


def attempt_outcomes(attempts: Iterable[Attempt], method: str = "plain") -> pl.DataFrame:
    """What `filters.budgets` reads of attempts: each was looked at once, at its end."""
    return _outcomes((method, one.problem_id, one.attempt_index, len(one.token_ids), one.verdict) for one in attempts)


def deepened_outcomes(responses: Iterable[DeepenedResponse], method: str = "id_sampling") -> pl.DataFrame:
    """What `filters.budgets` reads of deepened responses: each was looked at at every boundary."""
    return _outcomes(
        (method, one.problem_id, one.sample_index, boundary.generated, boundary.verdict)
        for one in responses
        for boundary in one.boundaries
    )


def _outcomes(looks: Iterable[tuple[str, str, int, int, Verdict]]) -> pl.DataFrame:
    rows = [(*look, None if verdict.is_undecided else verdict.is_right) for *look, verdict in looks]
    schema = {
        "method": pl.String,
        "problem_id": pl.String,
        "sample_index": pl.Int64,
        "tokens": pl.Int64,
        "is_right": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _response(segments: Sequence[Segment], boundaries: Sequence[Boundary]) -> dict[str, Any]:
    """The columns that every response with triggers has."""
    ends = list(accumulate(len(segment.token_ids) for segment in segments))
    return {
        "token_ids": [token_id for segment in segments for token_id in segment.token_ids],
        "text": "".join(segment.text for segment in segments),
        "attempts": [segment.text for segment in segments if segment.kind == "written"],
        "attempt_starts": [0, *ends[1::2]],
        "attempt_ends": ends[::2],
        "answers": [boundary.extracted for boundary in boundaries],
        "verdicts": [boundary.verdict for boundary in boundaries],
        "triggers": [segment.text for segment in segments if segment.kind == "trigger"],
        "n_triggers": len(segments) // 2,
        "budget": boundaries[-1].budget,
        "tokens": boundaries[-1].generated,
    }


def _loss_mask(n_tokens: int, masked: Iterable[MaskedSpan]) -> list[int]:
    mask = [1] * n_tokens
    for span in masked:
        mask[span.token_start : span.token_end] = [0] * (span.token_end - span.token_start)
    return mask
