"""Records as table rows, and back: one place that knows which column holds which field.

Knows no files. The tables' dtypes and rules are declared in `filters.schemas`.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from filters.answers import Verdict
from filters.schemas import ATTEMPTS, PROCESS_LABELS, SEARCH_TREES
from generators.engine.protocol import Sampling
from generators.judge import Judgement
from generators.records import Attempt, LabelledSolution, Problem
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
    """The `process_labels` table of one slice, without a judge."""
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
            **dict.fromkeys(("judge_first_error", "judge_outcome", "judge")),
            **provenance,
        }
        for solution in solutions
    ]
    return PROCESS_LABELS.frame(rows)


def with_judgements(frame: pl.DataFrame, judgements: Sequence[Judgement | None], judge: str) -> pl.DataFrame:
    """A `process_labels` table with what `judge` said of each row; None where it could not be asked."""
    said = [(None, "failed") if one is None else (one.first_error, one.outcome) for one in judgements]
    judged = pl.DataFrame(said, schema={"judge_first_error": pl.Int64, "judge_outcome": pl.String}, orient="row")
    return PROCESS_LABELS.validate(frame.with_columns(*judged, pl.lit(judge).alias("judge")))


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
