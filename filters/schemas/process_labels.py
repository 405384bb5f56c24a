"""Labelled solutions, and the search trees that their labels come from."""

import polars as pl

from filters.schemas.columns import ATTEMPT_KEY, DECISION, IDS, KNOWN_VERDICT, ORIGIN, PROBLEM, SOLUTION, each, length
from filters.tables import Column, TableSchema

_SHARES = pl.List(pl.Float64)
_ONE_PER_STEP = (
    *("step_ends", "node_ids", "n_correct", "n_rollouts", "n_undecided"),
    *("values", "values_low", "values_high", "stop_reasons"),
)
_JUDGE_OUTCOMES = ["judged", "not_sure", "no_verdict", "failed"]

PROCESS_LABELS = TableSchema(
    name="process_labels",
    columns={
        **PROBLEM,
        **SOLUTION,
        "steps": Column(pl.List(pl.String), "The solution's text in steps."),
        "step_ends": Column(IDS, "Where each step ends in `token_ids` (exclusive)."),
        "node_ids": Column(pl.List(pl.String), "For each step, the node of the search tree that ends with it."),
        "n_correct": Column(IDS, "For each step, the rollouts from its end with the right answer."),
        "n_rollouts": Column(IDS, "For each step, the rollouts whose answer could be decided."),
        "n_undecided": Column(IDS, "For each step, the rollouts whose answer could not be decided."),
        "n_attempts": Column(pl.Int64, "The attempts at the problem whose answer could be decided."),
        "n_attempts_right": Column(pl.Int64, "How many of them ended right."),
        "values": Column(_SHARES, "For each step, what it is worth; null without a rollout.", nullable_items=True),
        "values_low": Column(_SHARES, "For each step, the lower end of the 95 % interval of its value."),
        "values_high": Column(_SHARES, "For each step, the upper end of that interval."),
        "sound": Column(
            _SHARES, "For each step, the probability that nothing up to its end is wrong; null without.", nullable=True
        ),
        "stop_reasons": Column(pl.List(pl.String), "For each step, why no more rollouts were drawn from its end."),
        **DECISION,
        "strategy": Column(pl.String, "How the rollouts were spread over the steps."),
        "judge_first_error": Column(
            pl.Int64, "The first wrong step by the judge, -1 for none; null where it names nothing.", nullable=True
        ),
        "judge_outcome": Column(
            pl.String, "`judged`, `not_sure`, `no_verdict` or `failed`; null without a judge.", nullable=True
        ),
        "judge": Column(pl.String, "The model that judged; null without.", nullable=True),
        **ORIGIN,
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
        "n_attempts_right: at_most_n_attempts": pl.col("n_attempts_right").is_between(0, pl.col("n_attempts")),
        "values_low: at_most_values_high": (pl.col("values_high") - pl.col("values_low")).list.min() >= 0,
        "sound: one_per_step": pl.col("sound").is_null() | (length("sound") == length("steps")),
        "sound: never_rises": pl.col("sound").is_null()
        | each("sound", pl.element().diff().fill_null(0) <= 1e-9).fill_null(True),
        "verdict: known": KNOWN_VERDICT,
        "judge_outcome: known": pl.col("judge_outcome").is_in(_JUDGE_OUTCOMES) | pl.col("judge_outcome").is_null(),
        "judge_outcome: of_a_judge": pl.col("judge_outcome").is_null() == pl.col("judge").is_null(),
        "judge_first_error: where_judged": pl.col("judge_first_error").is_not_null()
        == pl.col("judge_outcome").eq_missing("judged"),
        "judge_first_error: is_a_step_or_minus_one": pl.col("judge_first_error").is_null()
        | pl.col("judge_first_error").is_between(-1, length("steps").cast(pl.Int64) - 1),
    },
)

SEARCH_TREES = TableSchema(
    name="search_trees",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "node_id": Column(pl.String, "Hash of the tokens from the prompt to the end of the step."),
        "parent_id": Column(pl.String, "The node of the step before; null for the prompt.", nullable=True),
        "depth": Column(pl.Int64, "How many steps stand before the end of this one, itself included."),
        "token_ids": Column(IDS, "The step's own token ids; the root's are the prompt's."),
        "text": Column(pl.String, "The step's text."),
        "is_end": Column(pl.Boolean, "Whether a solution ends here: its one outcome is its own."),
        "n_correct": Column(pl.Int64, "The rollouts from here with the right answer; the root's are the attempts."),
        "n_rollouts": Column(pl.Int64, "The rollouts from here whose answer could be decided."),
        "n_undecided": Column(pl.Int64, "The rollouts from here whose answer could not be decided."),
        **ORIGIN,
    },
    key=("problem_id", "node_id"),
    rules={
        "n_correct: at_most_n_rollouts": pl.col("n_correct").is_between(0, pl.col("n_rollouts")),
        "parent_id: of_all_but_the_root": pl.col("parent_id").is_null() == (pl.col("depth") == 0),
    },
)
