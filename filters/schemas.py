"""Every table of the house, declared once.

Knows no path and no writer; how a declaration is enforced, `filters.tables` says.
"""

from typing import get_args

import polars as pl

from filters.behaviours import Kind
from filters.tables import Column, SchemaError, TableSchema
from filters.verdicts import VERIFIER, Verdict

__all__ = [
    "ATTEMPTS",
    "LONG_COT_PAIRS",
    "LONG_COT_SAMPLES",
    "LONG_COT_TRACES",
    "PROBLEMS",
    "PROBLEM_DIFFICULTY",
    "PROCESS_LABELS",
    "QUERY_MIX",
    "SEARCH_TREES",
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
_JUDGE_OUTCOMES = ["judged", "not_sure", "no_verdict", "failed"]
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
        "judge_first_error": Column(
            pl.Int64, "The first wrong step by the judge, -1 for none; null where it names nothing.", nullable=True
        ),
        "judge_outcome": Column(
            pl.String, "`judged`, `not_sure`, `no_verdict` or `failed`; null without a judge.", nullable=True
        ),
        "judge": Column(pl.String, "The model that judged; null without.", nullable=True),
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
        "judge_outcome: known": pl.col("judge_outcome").is_in(_JUDGE_OUTCOMES) | pl.col("judge_outcome").is_null(),
        "judge_outcome: of_a_judge": pl.col("judge_outcome").is_null() == pl.col("judge").is_null(),
        "judge_first_error: where_judged": pl.col("judge_first_error").is_not_null()
        == pl.col("judge_outcome").eq_missing("judged"),
        "judge_first_error: is_a_step_or_minus_one": pl.col("judge_first_error").is_null()
        | pl.col("judge_first_error").is_between(-1, _length("steps").cast(pl.Int64) - 1),
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

_MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
_OPTIONAL_ANSWER = Column(pl.String, "The gold answer; blank where there is none and a reward model scores.")
_LAW = {
    "sampling": Column(pl.String, "The sampling that the tokens were drawn with, as JSON."),
    "max_tokens": Column(pl.Int64, "How many tokens a sample was allowed."),
}
_SCORE = {
    "scored_by": Column(pl.String, "`verifier`, or the name of the reward model; only the solution is scored."),
    "score": Column(pl.Float64, "1 or 0 by the verifier, else what the reward model says.", nullable=True),
    "verdict": Column(pl.String, "What comparing the final answer with the gold came to; null without.", nullable=True),
    "extracted": _DECISION["extracted"],
}
_SAMPLE = {
    "sample_index": Column(pl.Int64, "Which of the samples at its problem this is, from 0."),
    "prompt_token_ids": _SOLUTION["prompt_token_ids"],
    "token_ids": Column(_IDS, "What the policy wrote, in its token ids."),
}
_BY_VERIFIER = pl.col("scored_by") == VERIFIER
_VERIFIED_SCORE = (
    pl.when(_BY_VERIFIER & pl.col("verdict").is_not_null() & ~pl.col("verdict").is_in(_UNDECIDED))
    .then(pl.col("score") == (pl.col("verdict") == Verdict.EQUAL.value).cast(pl.Float64))
    .otherwise(~_BY_VERIFIER | pl.col("score").is_null())
)

LONG_COT_SAMPLES = TableSchema(
    name="long_cot_samples",
    columns={
        "problem_id": _PROBLEM["problem_id"],
        "source": _PROBLEM["source"],
        **_SAMPLE,
        "text": Column(pl.String, "The whole answer, with the opening tag where that was prefilled."),
        "finish_reason": Column(pl.String, "Why it ended: `eos`, `stop` or `length`."),
        "malformed": Column(pl.String, "Why it is not in thoughts and solution; null where it is.", nullable=True),
        "internal_thoughts": Column(pl.String, "What stands between the tags.", nullable=True),
        "external_solution": Column(pl.String, "What stands behind the closing tag.", nullable=True),
        **_SCORE,
        **_LAW,
        **_ORIGIN,
    },
    key=("problem_id", "sample_index"),
    rules={
        "sample_index: not_negative": pl.col("sample_index") >= 0,
        "internal_thoughts: of_well_formed": pl.col("internal_thoughts").is_null() == pl.col("malformed").is_not_null(),
        "external_solution: of_well_formed": pl.col("external_solution").is_null() == pl.col("malformed").is_not_null(),
        "score: of_well_formed": pl.col("score").is_null() | pl.col("malformed").is_null(),
        "score: finite": pl.col("score").is_null() | pl.col("score").is_finite(),
        "score: follows_verdict": _VERIFIED_SCORE,
        "verdict: known": pl.col("verdict").is_null() | _KNOWN_VERDICT,
    },
)

LONG_COT_TRACES = TableSchema(
    name="long_cot_traces",
    columns={
        **_PROBLEM,
        "answer": _OPTIONAL_ANSWER,
        "messages": Column(_MESSAGES, "Problem and answer as a chat to train on, the thoughts between their tags."),
        "internal_thoughts": Column(pl.String, "How the policy thought."),
        "external_solution": Column(pl.String, "What it answered."),
        "topic": Column(pl.String, "The topic that the judge gave the problem; null without.", nullable=True),
        "difficulty": Column(pl.String, "`easy`, `medium` or `hard` by pass rate; null without.", nullable=True),
        **_SCORE,
        **{
            f"n_{kind}": Column(pl.Int64, f"How often the thoughts show {kind.replace('_', ' ')}.")
            for kind in get_args(Kind)
        },
        "behaviours": Column(pl.List(pl.String), "Their behaviours in the order of their places."),
        "behaviour_starts": Column(_IDS, "Where each begins in `internal_thoughts`, in characters."),
        "behaviour_ends": Column(_IDS, "Where each ends (exclusive)."),
        **_SAMPLE,
        **_LAW,
        **_ORIGIN,
    },
    key=("problem_id",),
    rules={
        "internal_thoughts: not_blank": pl.col("internal_thoughts").str.strip_chars() != "",
        "external_solution: not_blank": pl.col("external_solution").str.strip_chars() != "",
        "messages: user_then_assistant": _length("messages") == 2,
        "score: not_null": pl.col("score").is_not_null(),
        "verdict: equal_where_verified": ~_BY_VERIFIER | (pl.col("verdict") == Verdict.EQUAL.value),
        "difficulty: known": pl.col("difficulty").fill_null("easy").is_in(["easy", "medium", "hard"]),
        "behaviour_starts: one_per_behaviour": _length("behaviour_starts") == _length("behaviours"),
        "behaviour_ends: one_per_behaviour": _length("behaviour_ends") == _length("behaviours"),
        "behaviour_ends: behind_starts": (pl.col("behaviour_ends") - pl.col("behaviour_starts")).list.min().fill_null(1)
        > 0,
        "behaviours: counted": pl.sum_horizontal([f"n_{kind}" for kind in get_args(Kind)]) == _length("behaviours"),
    },
)


def _side(side: str) -> dict[str, Column]:
    """What is known of one side of a pair besides its text."""
    return {
        f"{side}_index": Column(pl.Int64, "Which of the samples at its problem it is, from 0."),
        f"{side}_reward": Column(pl.Float64, "Its score and what its format is worth."),
        f"{side}_score": Column(pl.Float64, "Its score alone; null of a malformed answer.", nullable=True),
        f"{side}_malformed": Column(
            pl.String, "Why it is not in thoughts and solution; null where it is.", nullable=True
        ),
    }


LONG_COT_PAIRS = TableSchema(
    name="long_cot_pairs",
    columns={
        "problem_id": _PROBLEM["problem_id"],
        "source": _PROBLEM["source"],
        "prompt": Column(_MESSAGES, "The chat that the policy was given."),
        "chosen": Column(_MESSAGES, "The answer of the highest reward."),
        "rejected": Column(_MESSAGES, "The answer of the lowest reward."),
        **_side("chosen"),
        **_side("rejected"),
        "margin": Column(pl.Float64, "The chosen reward less the rejected one."),
        "scored_by": _SCORE["scored_by"],
        **_LAW,
        **_ORIGIN,
    },
    key=("problem_id",),
    rules={
        "margin: above_zero": pl.col("margin") > 0,
        "margin: of_the_rewards": (pl.col("chosen_reward") - pl.col("rejected_reward") - pl.col("margin")).abs() < 1e-9,
        "chosen_malformed: never": pl.col("chosen_malformed").is_null(),
        "rejected_index: another": pl.col("rejected_index") != pl.col("chosen_index"),
    },
)

QUERY_MIX = TableSchema(
    name="query_mix",
    columns={
        "problem_id": _PROBLEM["problem_id"],
        "criteria": Column(pl.List(pl.Boolean), "What the judge said of each criterion; null without.", nullable=True),
        "n_criteria": Column(pl.Int64, "How many of them the problem meets; null without.", nullable=True),
        "topic": Column(pl.String, "The topic that the judge gave it; null without.", nullable=True),
        "pass_rate": Column(pl.Float64, "Right attempts among the decided ones; null without.", nullable=True),
        "difficulty": Column(pl.String, "`easy`, `medium` or `hard` by pass rate; null without.", nullable=True),
        "is_kept": Column(pl.Boolean, "Whether the problem is asked for long chains of thought."),
        "why": Column(pl.String, "Why it was kept or dropped."),
    },
    key=("problem_id",),
    rules={
        "n_criteria: counts_them": pl.col("criteria").is_null()
        | (pl.col("criteria").list.sum() == pl.col("n_criteria")),
        "why: not_blank": pl.col("why") != "",
    },
)
