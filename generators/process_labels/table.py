"""The tables of labelled solutions, of planted errors and of what was not labelled; records as rows."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from filters.schema import Column, Schema
from generators.columns import (
    ATTEMPT_KEY,
    COUNTS,
    DECISION,
    DETAIL,
    FOUND,
    KNOWN_VERDICT,
    N_NO_ANSWER,
    ORIGIN,
    PROBLEM,
    REASON,
    ROUNDING,
    SOLUTION,
    each,
    length,
)
from generators.process_labels.judge import Judgement
from generators.records import LabelledSolution, Problem, Provenance

_SHARES = pl.List(pl.Float64)
_ONE_PER_STEP = (
    *("step_ends", "node_ids", "n_correct", "n_rollouts", "n_undecided"),
    *("values", "values_low", "values_high", "stop_reasons", "false_equations"),
)
_JUDGE_OUTCOMES = ["judged", "not_sure", "no_verdict", "failed"]

PROCESS_LABELS = Schema(
    name="process_labels",
    columns={
        **PROBLEM,
        "problem_id": Column(pl.String, "Hash of the problem; it decides the split."),
        "answer": Column(pl.String, "The problem's gold answer."),
        **SOLUTION,
        "attempt_index": Column(pl.Int64, "Which of the attempts at the problem this solution is."),
        "steps": Column(pl.List(pl.String), "The solution's text in steps; joined they are the whole."),
        "step_ends": Column(COUNTS, "Where each step ends in `token_ids` (exclusive)."),
        "n_correct": Column(COUNTS, "For each step, the rollouts from its end with the right answer."),
        "n_rollouts": Column(COUNTS, "For each step, the rollouts whose answer could be decided."),
        "n_undecided": Column(COUNTS, "For each step, the rollouts whose answer could not be decided."),
        "n_no_answer": Column(COUNTS, f"For each step, how many rollouts {N_NO_ANSWER}.", nullable=True, added=True),
        "n_further": Column(
            COUNTS,
            "For each step, how many of its rollouts the search did not ask for: others had drawn them before the "
            "labels were made again; null where an older stepmill counted none of these.",
            nullable=True,
            added=True,
        ),
        "node_ids": Column(
            pl.List(pl.String),
            "For each step, the node of the search tree that ends with it; solutions with a common beginning share "
            "nodes.",
        ),
        "n_attempts": Column(pl.Int64, "The attempts at the problem whose answer could be decided."),
        "n_attempts_right": Column(pl.Int64, "How many of them ended right."),
        "values": Column(_SHARES, "For each step, its value; null without a rollout.", nullable_items=True),
        "values_low": Column(_SHARES, "For each step, the lower end of the shortest 95 % interval of its value."),
        "values_high": Column(_SHARES, "For each step, the upper end of that interval."),
        "sound": Column(
            _SHARES,
            "For each step, the probability that nothing up to its end is wrong; null if the strategy has none.",
            nullable=True,
        ),
        "stop_reasons": Column(pl.List(pl.String), "For each step, why no more rollouts were drawn from its end."),
        "false_equations": Column(
            pl.List(pl.String),
            "For each step, the first equation that it states and exact arithmetic refutes; null where there is none.",
            nullable_items=True,
        ),
        "verdict": Column(pl.String, "The result of comparing the solution's final answer with the gold answer."),
        "extracted": Column(pl.String, "The solution's final answer, where the text has one.", nullable=True),
        "found_by": DECISION["found_by"],
        "strategy": Column(pl.String, "How the rollouts were spread over the steps."),
        "judge_first_error": Column(
            pl.Int64,
            "The judge's index of the first wrong step, -1 if it found none; null if it names nothing.",
            nullable=True,
        ),
        "judge_outcome": Column(
            pl.String,
            "`judged`, `not_sure` (a tie of votes), `no_verdict` or `failed` (refused); null without a judge.",
            nullable=True,
        ),
        "judge": Column(
            pl.String, "The model that gave a second opinion on the solution; null without one.", nullable=True
        ),
        **ORIGIN,
        "policy": Column(pl.String, "The model that wrote the solution and the rollouts."),
    },
    key=(*ATTEMPT_KEY, "strategy"),
    rules={
        "steps: at_least_one": length("steps") >= 1,
        **{f"{name}: one_per_step": length(name) == length("steps") for name in _ONE_PER_STEP},
        "step_ends: rising": each("step_ends", pl.element().diff().fill_null(pl.element()) > 0),
        "step_ends: within_token_ids": pl.col("step_ends").list.last() <= length("token_ids"),
        "n_correct: not_negative": each("n_correct", pl.element() >= 0),
        "n_correct: at_most_n_rollouts": (pl.col("n_rollouts") - pl.col("n_correct")).list.min() >= 0,
        "n_undecided: not_negative": each("n_undecided", pl.element() >= 0),
        "n_no_answer: one_per_step": pl.col("n_no_answer").is_null() | (length("n_no_answer") == length("steps")),
        "n_no_answer: of_those_not_right": (
            pl.col("n_rollouts") + pl.col("n_undecided") - pl.col("n_correct") - pl.col("n_no_answer")
        )
        .list.min()
        .fill_null(0)
        >= 0,
        "n_further: one_per_step": pl.col("n_further").is_null() | (length("n_further") == length("steps")),
        "n_further: of_all_rollouts": (pl.col("n_rollouts") + pl.col("n_undecided") - pl.col("n_further"))
        .list.min()
        .fill_null(0)
        >= 0,
        "n_attempts_right: at_most_n_attempts": pl.col("n_attempts_right").is_between(0, pl.col("n_attempts")),
        "values_low: at_most_values_high": (pl.col("values_high") - pl.col("values_low")).list.min() >= 0,
        "sound: one_per_step": pl.col("sound").is_null() | (length("sound") == length("steps")),
        "sound: never_rises": pl.col("sound").is_null()
        | each("sound", pl.element().diff().fill_null(0) <= ROUNDING).fill_null(True),
        "verdict: known": KNOWN_VERDICT,
        "found_by: of_an_answer": FOUND,
        "judge_outcome: known": pl.col("judge_outcome").is_in(_JUDGE_OUTCOMES) | pl.col("judge_outcome").is_null(),
        "judge_outcome: of_a_judge": pl.col("judge_outcome").is_null() == pl.col("judge").is_null(),
        "judge_first_error: where_judged": pl.col("judge_first_error").is_not_null()
        == pl.col("judge_outcome").eq_missing("judged"),
        "judge_first_error: is_a_step_or_minus_one": pl.col("judge_first_error").is_null()
        | pl.col("judge_first_error").is_between(-1, length("steps").cast(pl.Int64) - 1),
    },
)


PLANTED_ERRORS = Schema(
    name="planted_errors",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "attempt_index": Column(pl.Int64, "The solution with the planted error, numbered far above the attempts."),
        "kind": Column(pl.String, "What was done to the step: `number`, `operation` or `dropped_condition`."),
        "planted": Column(pl.Int64, "The step that holds the error."),
        "found": Column(pl.Int64, "The first error by the labels, -1 for none; null if not sure.", nullable=True),
        "is_refuted": Column(
            pl.Boolean, "Whether the step with the error states a false equation, which is found without a rollout."
        ),
        "n_rollouts": Column(pl.Int64, "The rollouts from the ends of the solution's steps but the last."),
        "original_step": Column(pl.String, "The step before the error was planted."),
        "planted_step": Column(pl.String, "The step with the error."),
    },
    key=("problem_id", "attempt_index"),
)
DROPPED = Schema(
    name="process_labels_dropped",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "attempt_index": Column(pl.Int64, "The attempt; null if the whole problem was skipped.", nullable=True),
        "reason": REASON,
        "detail": DETAIL,
    },
)


def process_labels_table(solutions: Sequence[LabelledSolution], provenance: Provenance) -> pl.DataFrame:
    """The `process_labels` table of one slice, without a judge."""
    return PROCESS_LABELS.frame(list(label_rows(solutions, provenance)))


def label_rows(solutions: Sequence[LabelledSolution], provenance: Provenance) -> Iterator[dict[str, Any]]:
    """The rows of labelled solutions, without a judge."""
    for solution in solutions:
        yield {
            **{name: getattr(solution.problem, name) for name in Problem.__slots__},
            "attempt_index": solution.attempt.attempt_index,
            "prompt_token_ids": solution.attempt.prompt_token_ids,
            "token_ids": solution.attempt.token_ids,
            "steps": solution.steps,
            "false_equations": solution.false_equations,
            "step_ends": solution.step_ends,
            "node_ids": solution.node_ids,
            "n_correct": [count.n_correct for count in solution.counts],
            "n_rollouts": [count.n_rollouts for count in solution.counts],
            "n_undecided": [count.n_undecided for count in solution.counts],
            "n_no_answer": [count.n_no_answer for count in solution.counts],
            "n_further": solution.further,
            "n_attempts": solution.attempt_counts.n_rollouts,
            "n_attempts_right": solution.attempt_counts.n_correct,
            "values": solution.values.mean,
            "values_low": solution.values.low,
            "values_high": solution.values.high,
            "sound": solution.sound,
            "stop_reasons": solution.stop_reasons,
            "verdict": solution.attempt.verdict,
            "extracted": solution.attempt.extracted,
            "found_by": solution.attempt.found_by,
            "strategy": solution.strategy,
            **dict.fromkeys(("judge_first_error", "judge_outcome", "judge")),
            **provenance,
        }


def with_judgements(frame: pl.DataFrame, judgements: Sequence[Judgement | None], judge: str) -> pl.DataFrame:
    """Add a judgement to each row of a `process_labels` table; None if the engine refused it."""
    outcomes = [(None, "failed") if said is None else (said.first_error, said.outcome) for said in judgements]
    judged = pl.DataFrame(outcomes, schema={"judge_first_error": pl.Int64, "judge_outcome": pl.String}, orient="row")
    return PROCESS_LABELS.validate(frame.with_columns(*judged, pl.lit(judge).alias("judge")))
