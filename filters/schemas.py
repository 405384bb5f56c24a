"""Every table of the house, declared once.

Knows no path and no writer; how a declaration is enforced, `filters.tables` says.
"""

import polars as pl

from filters.tables import Column, SchemaError, TableSchema
from filters.verdicts import Verdict

__all__ = [
    "ATTEMPTS",
    "PROBLEMS",
    "PROBLEM_DIFFICULTY",
    "PROCESS_LABELS",
    "SEARCH_TREES",
    "STEP_PREFERENCE_PAIRS",
    "Column",
    "SchemaError",
    "TableSchema",
]

_IDS = pl.List(pl.Int64)
_SHARES = pl.List(pl.Float64)
_ONE_PER_STEP = (
    *("step_ends", "node_ids", "n_correct", "n_rollouts", "n_undecided"),
    *("values", "values_low", "values_high", "stop_reasons"),
)
_ATTEMPT_KEY = ("problem_id", "attempt_index")
_UNDECIDED = [verdict.value for verdict in Verdict if verdict.is_undecided]
_KNOWN_VERDICT = pl.col("verdict").is_in([verdict.value for verdict in Verdict])
_PROBLEM = {
    "problem_id": Column(pl.String, "Hash of prompt and answer."),
    "source": Column(pl.String, "The source that the problem came from."),
    "prompt": Column(pl.String, "The problem, without chat template or instructions."),
    "answer": Column(pl.String, "The gold answer."),
    "level": Column(pl.String, "The source's own level of difficulty.", nullable=True),
}
_ORIGIN = {
    "policy": Column(pl.String, "The model that wrote the tokens."),
    "round": Column(pl.String, "The round of generation."),
    "slice": Column(pl.String, "The part of the round that was generated as one."),
}
_SOLUTION = {
    "attempt_index": Column(pl.Int64, "Which of the attempts at its problem this is, from 0."),
    "prompt_token_ids": Column(_IDS, "What the policy was given, in its own token ids."),
    "token_ids": Column(_IDS, "The solution, in the policy's token ids."),
}
_DECISION = {
    "verdict": Column(pl.String, "What comparing the final answer with the gold came to."),
    "extracted": Column(pl.String, "The final answer, where the text has one.", nullable=True),
}


def _length(name: str) -> pl.Expr:
    return pl.col(name).list.len()


def _each(name: str, holds: pl.Expr) -> pl.Expr:
    """Every element of a list column satisfies `holds`, written over `pl.element()`."""
    return pl.col(name).list.eval(holds).list.all()


PROBLEMS = TableSchema(
    name="problems",
    columns=_PROBLEM,
    key=("problem_id",),
    rules={
        "prompt: not_blank": pl.col("prompt").str.strip_chars() != "",
        "answer: not_blank": pl.col("answer").str.strip_chars() != "",
    },
)

ATTEMPTS = TableSchema(
    name="attempts",
    columns={
        "problem_id": _PROBLEM["problem_id"],
        "source": _PROBLEM["source"],
        **_SOLUTION,
        "text": Column(pl.String, "The solution as text."),
        "finish_reason": Column(pl.String, "Why it ended: `eos`, `stop` or `length`."),
        **_DECISION,
        "is_right": Column(pl.Boolean, "Whether the verdict is `equal`; null where undecided.", nullable=True),
        "sampling": Column(pl.String, "The sampling that the tokens were drawn with, as JSON."),
        "max_tokens": Column(pl.Int64, "How many tokens a solution was allowed."),
        **_ORIGIN,
    },
    key=_ATTEMPT_KEY,
    rules={
        "attempt_index: not_negative": pl.col("attempt_index") >= 0,
        "finish_reason: known": pl.col("finish_reason").is_in(["eos", "stop", "length"]),
        "verdict: known": _KNOWN_VERDICT,
        "is_right: follows_verdict": pl.when(pl.col("verdict").is_in(_UNDECIDED))
        .then(pl.col("is_right").is_null())
        .otherwise(pl.col("is_right") == (pl.col("verdict") == Verdict.EQUAL.value)),
    },
)

PROBLEM_DIFFICULTY = TableSchema(
    name="problem_difficulty",
    columns={
        "problem_id": _PROBLEM["problem_id"],
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

PROCESS_LABELS = TableSchema(
    name="process_labels",
    columns={
        **_PROBLEM,
        **_SOLUTION,
        "steps": Column(pl.List(pl.String), "The solution's text in steps."),
        "step_ends": Column(_IDS, "Where each step ends in `token_ids` (exclusive)."),
        "node_ids": Column(pl.List(pl.String), "For each step, the node of the search tree that ends with it."),
        "n_correct": Column(_IDS, "For each step, the rollouts from its end with the right answer."),
        "n_rollouts": Column(_IDS, "For each step, the rollouts whose answer could be decided."),
        "n_undecided": Column(_IDS, "For each step, the rollouts whose answer could not be decided."),
        "n_attempts": Column(pl.Int64, "The attempts at the problem whose answer could be decided."),
        "n_attempts_right": Column(pl.Int64, "How many of them ended right."),
        "values": Column(_SHARES, "For each step, what it is worth; null without a rollout.", nullable_items=True),
        "values_low": Column(_SHARES, "For each step, the lower end of the 95 % interval of its value."),
        "values_high": Column(_SHARES, "For each step, the upper end of that interval."),
        "sound": Column(
            _SHARES, "For each step, the probability that nothing up to its end is wrong; null without.", nullable=True
        ),
        "stop_reasons": Column(pl.List(pl.String), "For each step, why no more rollouts were drawn from its end."),
        **_DECISION,
        "strategy": Column(pl.String, "How the rollouts were spread over the steps."),
        **_ORIGIN,
    },
    key=(*_ATTEMPT_KEY, "strategy"),
    rules={
        "steps: at_least_one": _length("steps") >= 1,
        **{f"{name}: one_per_step": _length(name) == _length("steps") for name in _ONE_PER_STEP},
        "step_ends: rising": _each("step_ends", pl.element().diff().fill_null(pl.element()) > 0),
        "step_ends: within_token_ids": pl.col("step_ends").list.last() <= _length("token_ids"),
        "n_correct: not_negative": _each("n_correct", pl.element() >= 0),
        "n_correct: at_most_n_rollouts": (pl.col("n_rollouts") - pl.col("n_correct")).list.min() >= 0,
        "n_undecided: not_negative": _each("n_undecided", pl.element() >= 0),
        "n_attempts_right: at_most_n_attempts": pl.col("n_attempts_right").is_between(0, pl.col("n_attempts")),
        "values_low: at_most_values_high": (pl.col("values_high") - pl.col("values_low")).list.min() >= 0,
        "sound: one_per_step": pl.col("sound").is_null() | (_length("sound") == _length("steps")),
        "sound: never_rises": pl.col("sound").is_null()
        | _each("sound", pl.element().diff().fill_null(0) <= 1e-9).fill_null(True),
        "verdict: known": _KNOWN_VERDICT,
    },
)

SEARCH_TREES = TableSchema(
    name="search_trees",
    columns={
        "problem_id": _PROBLEM["problem_id"],
        "node_id": Column(pl.String, "Hash of the tokens from the prompt to the end of the step."),
        "parent_id": Column(pl.String, "The node of the step before; null for the prompt.", nullable=True),
        "depth": Column(pl.Int64, "How many steps stand before the end of this one, itself included."),
        "token_ids": Column(_IDS, "The step's own token ids; the root's are the prompt's."),
        "text": Column(pl.String, "The step's text."),
        "is_end": Column(pl.Boolean, "Whether a solution ends here: its one outcome is its own."),
        "n_correct": Column(pl.Int64, "The rollouts from here with the right answer; the root's are the attempts."),
        "n_rollouts": Column(pl.Int64, "The rollouts from here whose answer could be decided."),
        "n_undecided": Column(pl.Int64, "The rollouts from here whose answer could not be decided."),
        **_ORIGIN,
    },
    key=("problem_id", "node_id"),
    rules={
        "n_correct: at_most_n_rollouts": pl.col("n_correct").is_between(0, pl.col("n_rollouts")),
        "parent_id: of_all_but_the_root": pl.col("parent_id").is_null() == (pl.col("depth") == 0),
    },
)

STEP_PREFERENCE_PAIRS = TableSchema(
    name="step_preference_pairs",
    columns={
        # The eight columns of Math-Step-DPO-10K, in its order.
        "dataset": Column(pl.String, "The source that the problem came from."),
        "prompt": _PROBLEM["prompt"],
        "initial_reason_steps": Column(pl.String, "The steps before the pair; empty where it is about the first step."),
        "chosen": Column(pl.String, "The right next step."),
        "rejected": Column(pl.String, "The wrong next step, as the solution took it."),
        "full_chosen": Column(pl.String, "The right solution from the chosen step to its end."),
        "full_rejected": Column(pl.String, "The wrong solution from the rejected step to its end."),
        "answer": _PROBLEM["answer"],
        "problem_id": _PROBLEM["problem_id"],
        "attempt_index": Column(pl.Int64, "Which of the attempts at the problem went wrong here."),
        "step_index": Column(pl.Int64, "Index of its first wrong step, from 0."),
        "chosen_index": Column(pl.Int64, "Which of the rollouts from the prefix the chosen step is the first of."),
        "margin": Column(pl.Float64, "`chosen_value` less `rejected_value`."),
        "margin_low": Column(pl.Float64, "The lower end of the margin's 95 % interval."),
        "margin_high": Column(pl.Float64, "The upper end of that interval."),
        "chosen_value": Column(pl.Float64, "The share of right rollouts behind the chosen step; 1 where it is final."),
        "rejected_value": Column(pl.Float64, "The share of right rollouts behind the wrong step; 0 where it is final."),
        "chosen_n_correct": Column(pl.Int64, "The rollouts behind the chosen step with the right answer."),
        "chosen_n_rollouts": Column(pl.Int64, "The rollouts behind the chosen step whose answer could be decided."),
        "rejected_n_correct": Column(pl.Int64, "The rollouts behind the rejected step with the right answer."),
        "rejected_n_rollouts": Column(pl.Int64, "The rollouts behind the rejected step whose answer could be decided."),
        "n_rollouts": Column(pl.Int64, "The rollouts of both sides."),
        "is_final_step": Column(pl.Boolean, "Whether the chosen step ends its solution."),
        "rejected_is_final_step": Column(pl.Boolean, "Whether the rejected step ends its solution."),
        "prefix_token_ids": Column(_IDS, "Prompt and steps before, in the policy's token ids."),
        "chosen_token_ids": Column(_IDS, "The chosen step, with the end-of-text token where it is final."),
        "rejected_token_ids": Column(_IDS, "The rejected step, with the end-of-text token where it is final."),
        "templated_prompt": Column(
            pl.String, "Prompt in the policy's template and steps before, without what its tokenizer adds in front."
        ),
        "is_stable": Column(
            pl.Boolean, "Whether the texts give the token ids back: `templated_prompt`, and it with either step."
        ),
        "pass_rate": Column(pl.Float64, "The share of right ones among the decided attempts at the problem."),
        "localiser": Column(pl.String, "What found the first wrong step: `labels` or `judge`."),
        **_ORIGIN,
    },
    key=("problem_id", "attempt_index", "chosen_index"),
    rules={
        **{
            f"{side}: not_blank": pl.col(side).str.strip_chars() != ""
            for side in ("chosen", "rejected", "full_chosen", "full_rejected")
        },
        **{
            f"full_{side}: begins_with_the_step": pl.col(f"full_{side}").str.starts_with(pl.col(side))
            for side in ("chosen", "rejected")
        },
        **{
            f"{side}_n_correct: at_most_n_rollouts": pl.col(f"{side}_n_correct").is_between(
                0, pl.col(f"{side}_n_rollouts")
            )
            for side in ("chosen", "rejected")
        },
        "chosen: differs_from_rejected": pl.col("chosen").str.strip_chars() != pl.col("rejected").str.strip_chars(),
        "step_index: not_negative": pl.col("step_index") >= 0,
        "n_rollouts: of_both_sides": pl.col("n_rollouts")
        == pl.col("chosen_n_rollouts") + pl.col("rejected_n_rollouts"),
        "is_final_step: takes_no_rollouts": (pl.col("chosen_n_rollouts") == 0) == pl.col("is_final_step"),
        "rejected_is_final_step: takes_no_rollouts": (pl.col("rejected_n_rollouts") == 0)
        == pl.col("rejected_is_final_step"),
        "margin_low: above_zero": pl.col("margin_low") > 0,
        "templated_prompt: ends_with_the_steps": pl.col("templated_prompt").str.ends_with(
            pl.col("initial_reason_steps")
        ),
        "pass_rate: between_never_and_always": pl.col("pass_rate").is_between(0, 1, closed="none"),
        "localiser: known": pl.col("localiser").is_in(["labels", "judge"]),
    },
)
