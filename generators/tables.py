"""Records as table rows, and back: one place that knows which column holds which field.

Knows no files. The tables' dtypes and rules are declared in `filters.schemas`.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

import polars as pl

from filters.answers import Verdict
from filters.schemas import ATTEMPTS, DEEPENED_RESPONSES, PROCESS_LABELS, SEARCH_TREES, SELF_CORRECTION_TRACES
from generators.engine.protocol import Sampling
from generators.prompts import solve
from generators.records import (
    Attempt,
    Boundary,
    Correction,
    DeepenedResponse,
    FlawedSolution,
    LabelledSolution,
    MaskedSpan,
    Problem,
    Segment,
)
from generators.tree import Tree, grow

Provenance = dict[str, str | int]  # policy, round, slice; for attempts also sampling and max_tokens


def problems_of(frame: pl.DataFrame) -> list[Problem]:
    """The problems of a `problems` table, in its order."""
    columns = ("problem_id", "source", "prompt", "answer", "level")
    return [Problem(**row) for row in frame.select(columns).iter_rows(named=True)]


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


def process_labels_table(solutions: Sequence[LabelledSolution], provenance: Provenance) -> pl.DataFrame:
    """The `process_labels` table of one slice."""
    rows = [
        {
            **{name: getattr(solution.problem, name) for name in Problem.__slots__},
            "attempt_index": solution.attempt.attempt_index,
            "prompt_token_ids": solution.attempt.prompt_token_ids,
            "token_ids": solution.attempt.token_ids,
            "steps": solution.steps,
            "step_ends": solution.step_ends,
            "node_ids": solution.node_ids,
            "n_correct": [count.n_correct for count in solution.counts],
            "n_rollouts": [count.n_rollouts for count in solution.counts],
            "n_undecided": [count.n_undecided for count in solution.counts],
            "n_attempts": solution.attempt_counts.n_rollouts,
            "n_attempts_right": solution.attempt_counts.n_correct,
            "values": solution.values.mean,
            "values_low": solution.values.low,
            "values_high": solution.values.high,
            "sound": solution.sound,
            "stop_reasons": solution.stop_reasons,
            "verdict": solution.attempt.verdict,
            "extracted": solution.attempt.extracted,
            "strategy": solution.strategy,
            **provenance,
        }
        for solution in solutions
    ]
    return PROCESS_LABELS.frame(rows)


def search_trees_table(trees: Iterable[Tree], provenance: Provenance) -> pl.DataFrame:
    """The `search_trees` table of one slice: every node of every tree with its counts."""
    rows = []
    for tree in trees:
        for node in tree:
            counts = node.counts
            rows.append(
                {
                    "problem_id": tree.problem_id,
                    "node_id": node.node_id,
                    "parent_id": node.parent.node_id if node.parent else None,
                    "depth": node.depth,
                    "token_ids": node.token_ids,
                    "text": node.text,
                    "is_end": node.is_end,
                    "n_correct": counts.n_correct,
                    "n_rollouts": counts.n_rollouts,
                    "n_undecided": counts.n_undecided,
                    **provenance,
                }
            )
    return SEARCH_TREES.frame(rows)


def trees_of(frame: pl.DataFrame) -> dict[str, Tree]:
    """The trees of a `search_trees` table by problem id."""
    by_problem = frame.sort("problem_id", "depth", "node_id").partition_by("problem_id", as_dict=True)
    return {str(key[0]): grow(str(key[0]), part.to_dicts()) for key, part in by_problem.items()}


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
