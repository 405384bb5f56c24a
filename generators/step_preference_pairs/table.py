"""The tables of step pairs and of what gave none; pairs as rows, and located errors as records."""

from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from filters.schema import Column, Schema
from generators.columns import DETAIL, IDS, ORIGIN, PROBLEM, REASON
from generators.records import Provenance
from generators.step_preference_pairs.records import LocatedError, StepPair
from generators.token_columns import rows_with_ids

MARGIN = ("value_margin", "value_margin_low", "value_margin_high")
TEST_MARGIN = ("test_margin", "test_margin_low")
_SIDES = ("chosen", "rejected")


def _tested(dtype: type[pl.DataType], meaning: str) -> Column:
    """A column about the test of a pair."""
    why_null = "null where an older stepmill published the figures of the test"
    return Column(dtype, f"{meaning}; {why_null}.", nullable=True, added=True)


def _none_drawn(side: str) -> pl.Expr:
    """Whether there is no rollout after the step of this side, neither a held-out one nor one of the test."""
    return pl.sum_horizontal(f"{side}_n_rollouts", f"test_{side}_n_rollouts") == 0


STEP_PREFERENCE_PAIRS = Schema(
    name="step_preference_pairs",
    columns={
        # The eight columns of Math-Step-DPO-10K, in its order.
        "dataset": Column(pl.String, "The source that the problem came from."),
        "prompt": PROBLEM["prompt"],
        "initial_reason_steps": Column(pl.String, "The steps before the pair; empty if it is about the first step."),
        "chosen": Column(pl.String, "The right next step."),
        "rejected": Column(pl.String, "The wrong next step, as the solution took it."),
        "full_chosen": Column(pl.String, "The right solution from the chosen step to its end."),
        "full_rejected": Column(pl.String, "The wrong solution from the rejected step to its end."),
        "answer": PROBLEM["answer"],
        "also_accepted": PROBLEM["also_accepted"],
        "problem_id": PROBLEM["problem_id"],
        "attempt_index": Column(pl.Int64, "Which of the attempts at the problem went wrong here."),
        "step_index": Column(pl.Int64, "Index of its first wrong step, from 0."),
        "chosen_index": Column(pl.Int64, "Which of the rollouts from the prefix the chosen step is the first of."),
        "value_margin": Column(pl.Float64, "`chosen_value` less `rejected_value`."),
        "value_margin_low": Column(pl.Float64, "The lower end of the margin's 95 % interval."),
        "value_margin_high": Column(pl.Float64, "The upper end of that interval."),
        "chosen_value": Column(
            pl.Float64, "The share of right held-out rollouts after the chosen step; 1 where it is final."
        ),
        "rejected_value": Column(
            pl.Float64, "The share of right held-out rollouts after the wrong step; 0 where it is final."
        ),
        "chosen_n_correct": Column(pl.Int64, "The held-out rollouts after the chosen step with the right answer."),
        "chosen_n_rollouts": Column(
            pl.Int64, "The held-out rollouts after the chosen step whose answer could be decided."
        ),
        "rejected_n_correct": Column(pl.Int64, "The held-out rollouts after the rejected step with the right answer."),
        "rejected_n_rollouts": Column(
            pl.Int64, "The held-out rollouts after the rejected step whose answer could be decided."
        ),
        "test_chosen_n_correct": _tested(pl.Int64, "The right rollouts among those that tested the chosen step"),
        "test_chosen_n_rollouts": _tested(pl.Int64, "The decided rollouts that tested the chosen step"),
        "test_rejected_n_correct": _tested(pl.Int64, "The right rollouts among those that tested the rejected step"),
        "test_rejected_n_rollouts": _tested(pl.Int64, "The decided rollouts that tested the rejected step"),
        "test_margin": _tested(
            pl.Float64, "The margin in the test that kept the pair, on average too large since it was selected"
        ),
        "test_margin_low": _tested(pl.Float64, "The lower end of its 95 % interval, above 0 for every kept pair"),
        "n_rollouts": Column(pl.Int64, "The decided rollouts of both sides, those of the test included."),
        "is_final_step": Column(pl.Boolean, "Whether the chosen step ends its solution."),
        "rejected_is_final_step": Column(pl.Boolean, "Whether the rejected step ends its solution."),
        "prefix_token_ids": Column(IDS, "Prompt and steps before, in the policy's token ids.", tokenwise=True),
        "chosen_token_ids": Column(
            IDS, "The chosen step, with the end-of-text token where it is final.", tokenwise=True
        ),
        "rejected_token_ids": Column(
            IDS, "The rejected step, with the end-of-text token where it is final.", tokenwise=True
        ),
        "templated_prompt": Column(
            pl.String, "Prompt in the policy's template and steps before, without what its tokenizer adds in front."
        ),
        "is_stable": Column(
            pl.Boolean, "Whether the texts give the token ids back: `templated_prompt`, and it with either step."
        ),
        "pass_rate": Column(pl.Float64, "The share of right ones among the decided attempts at the problem."),
        "localiser": Column(pl.String, "What found the first wrong step: `labels` or `judge`."),
        **ORIGIN,
    },
    key=("problem_id", "attempt_index", "chosen_index"),
    rules={
        **{
            f"{side}: not_blank": pl.col(side).str.strip_chars() != ""
            for side in ("chosen", "rejected", "full_chosen", "full_rejected")
        },
        **{
            f"full_{side}: begins_with_the_step": pl.col(f"full_{side}").str.starts_with(pl.col(side))
            for side in _SIDES
        },
        **{
            f"{side}_n_correct: at_most_n_rollouts": pl.col(f"{side}_n_correct").is_between(
                0, pl.col(f"{side}_n_rollouts")
            )
            for side in _SIDES
        },
        **{
            f"test_{side}_n_correct: at_most_n_rollouts": pl.col("test_margin").is_null()
            | pl.col(f"test_{side}_n_correct").is_between(0, pl.col(f"test_{side}_n_rollouts"))
            for side in _SIDES
        },
        "chosen: differs_from_rejected": pl.col("chosen").str.strip_chars() != pl.col("rejected").str.strip_chars(),
        "step_index: not_negative": pl.col("step_index") >= 0,
        "n_rollouts: of_both_sides": pl.col("n_rollouts")
        == pl.sum_horizontal(f"{which}{side}_n_rollouts" for which in ("", "test_") for side in _SIDES),
        "is_final_step: takes_no_rollouts": _none_drawn("chosen") == pl.col("is_final_step"),
        "rejected_is_final_step: takes_no_rollouts": _none_drawn("rejected") == pl.col("rejected_is_final_step"),
        "test_margin_low: above_zero": pl.coalesce("test_margin_low", "value_margin_low") > 0,
        "templated_prompt: ends_with_the_steps": pl.col("templated_prompt").str.ends_with(
            pl.col("initial_reason_steps")
        ),
        "pass_rate: between_never_and_always": pl.col("pass_rate").is_between(0, 1, closed="none"),
        "localiser: known": pl.col("localiser").is_in(["labels", "judge"]),
    },
)

DROPPED = Schema(
    name="step_preference_pairs_dropped",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "attempt_index": Column(pl.Int64, "The attempt that went wrong.", nullable=True),
        "step_index": Column(pl.Int64, "Its first wrong step; null if that is not known.", nullable=True),
        "chosen_index": Column(pl.Int64, "The continuation that gave no pair; null for an error.", nullable=True),
        "reason": REASON,
        "detail": DETAIL,
    },
)


def errors_of(frame: pl.DataFrame) -> dict[str, list[LocatedError]]:
    """The located errors of a table by problem id, in the order of their attempts."""
    by_problem: dict[str, list[LocatedError]] = {}
    rows = frame.sort("problem_id", "attempt_index")
    for row in rows_with_ids(rows, LocatedError.__slots__, ("prompt_token_ids", "token_ids")):
        by_problem.setdefault(row["problem_id"], []).append(LocatedError(**row))
    return by_problem


def step_pairs_table(pairs: Iterable[StepPair], localiser: str, provenance: Provenance) -> pl.DataFrame:
    """The `step_preference_pairs` table of one slice."""
    return STEP_PREFERENCE_PAIRS.frame(list(pair_rows(pairs, localiser, provenance)))


def pair_rows(pairs: Iterable[StepPair], localiser: str, provenance: Provenance) -> Iterator[dict[str, Any]]:
    """The rows of pairs; `localiser` found their first wrong steps."""
    for pair in pairs:
        better, worse = pair.margin.chosen, pair.margin.rejected
        tested_better, tested_worse = pair.tested.chosen.counts, pair.tested.rejected.counts
        yield {
            "dataset": pair.problem.source,
            "prompt": pair.problem.prompt,
            "initial_reason_steps": pair.initial_reason_steps,
            "chosen": pair.chosen.text,
            "rejected": pair.rejected.text,
            "full_chosen": pair.chosen.full_text,
            "full_rejected": pair.rejected.full_text,
            "answer": pair.problem.answer,
            "also_accepted": pair.problem.also_accepted,
            "problem_id": pair.problem.problem_id,
            "attempt_index": pair.error.attempt_index,
            "step_index": pair.error.step_index,
            "chosen_index": pair.chosen_index,
            "value_margin": pair.margin.value,
            "value_margin_low": pair.margin.low,
            "value_margin_high": pair.margin.high,
            "chosen_value": better.value,
            "rejected_value": worse.value,
            "chosen_n_correct": better.counts.n_correct,
            "chosen_n_rollouts": better.counts.n_rollouts,
            "rejected_n_correct": worse.counts.n_correct,
            "rejected_n_rollouts": worse.counts.n_rollouts,
            "test_chosen_n_correct": tested_better.n_correct,
            "test_chosen_n_rollouts": tested_better.n_rollouts,
            "test_rejected_n_correct": tested_worse.n_correct,
            "test_rejected_n_rollouts": tested_worse.n_rollouts,
            "test_margin": pair.tested.value,
            "test_margin_low": pair.tested.low,
            "n_rollouts": sum(
                counts.n_rollouts for counts in (better.counts, worse.counts, tested_better, tested_worse)
            ),
            "is_final_step": pair.chosen.is_final,
            "rejected_is_final_step": pair.rejected.is_final,
            "prefix_token_ids": pair.prefix_token_ids,
            "chosen_token_ids": pair.chosen.token_ids,
            "rejected_token_ids": pair.rejected.token_ids,
            "templated_prompt": pair.templated_prompt,
            "is_stable": pair.is_stable,
            "pass_rate": pair.error.pass_rate,
            "localiser": localiser,
            **provenance,
        }
