"""Every table of the house, declared once.

Knows no path and no writer; how a declaration is enforced, `filters.tables` says.
"""

import polars as pl

from filters.tables import Column, SchemaError, TableSchema
from filters.verdicts import Verdict

__all__ = [
    "ATTEMPTS",
    "DEEPENED_RESPONSES",
    "MESSAGES",
    "PROBLEMS",
    "PROBLEM_DIFFICULTY",
    "PROCESS_LABELS",
    "SEARCH_TREES",
    "SELF_CORRECTION_TRACES",
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

MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))

# A response with triggers in it: what the policy wrote between them are its parts.
_RESPONSE = {
    "prompt_token_ids": _SOLUTION["prompt_token_ids"],
    "token_ids": Column(_IDS, "The response, triggers included, in the policy's token ids."),
    "text": Column(pl.String, "The response as text, triggers included."),
    "attempts": Column(pl.List(pl.String), "What the policy wrote before, between and behind the triggers."),
    "attempt_starts": Column(_IDS, "Where each of `attempts` begins in `token_ids`."),
    "attempt_ends": Column(_IDS, "Where each of `attempts` ends in `token_ids` (exclusive)."),
    "answers": Column(
        pl.List(pl.String),
        "The final answer up to the end of each of `attempts`; null without one.",
        nullable_items=True,
    ),
    "verdicts": Column(pl.List(pl.String), "What comparing each of `answers` with the gold came to."),
    "triggers": Column(pl.List(pl.String), "The triggers, line breaks included; between two of `attempts` stands one."),
    "n_triggers": Column(pl.Int64, "How many triggers there are."),
    "budget": Column(pl.Int64, "How many tokens were allowed up to the end."),
    "tokens": Column(pl.Int64, "How many tokens of it the policy wrote."),
}
_RESPONSE_RULES = {
    **{
        f"{name}: one_per_attempt": _length(name) == _length("attempts")
        for name in ("attempt_starts", "attempt_ends", "answers", "verdicts")
    },
    "n_triggers: between_the_attempts": pl.col("n_triggers") == _length("attempts").cast(pl.Int64) - 1,
    "triggers: n_triggers": pl.col("n_triggers") == _length("triggers"),
    "attempt_starts: from_the_first_token": pl.col("attempt_starts").list.first() == 0,
    "attempt_ends: not_before_their_starts": (pl.col("attempt_ends") - pl.col("attempt_starts")).list.min() >= 0,
    "attempt_ends: to_the_last_token": pl.col("attempt_ends").list.last() == _length("token_ids"),
    "verdicts: known": _each("verdicts", pl.element().is_in([verdict.value for verdict in Verdict])),
}

DEEPENED_RESPONSES = TableSchema(
    name="deepened_responses",
    columns={
        "problem_id": _PROBLEM["problem_id"],
        "source": _PROBLEM["source"],
        "sample_index": Column(pl.Int64, "Which sample this is; it begins as the attempt of the same index."),
        **_RESPONSE,
        "budgets": Column(_IDS, "The budget at the end of each of `attempts`."),
        "generated": Column(_IDS, "For each of `attempts`, the tokens that had been generated by its end."),
        "finish_reason": ATTEMPTS.columns["finish_reason"],
        **_DECISION,
        "is_right": ATTEMPTS.columns["is_right"],
        **_ORIGIN,
    },
    key=("problem_id", "sample_index"),
    rules={
        **_RESPONSE_RULES,
        **{f"{name}: one_per_attempt": _length(name) == _length("attempts") for name in ("budgets", "generated")},
        "generated: rising": _each("generated", pl.element().diff().fill_null(pl.element()) > 0),
        "verdict: the_last_one": pl.col("verdict") == pl.col("verdicts").list.last(),
        **{name: rule for name, rule in ATTEMPTS.rules.items() if name.startswith(("is_right", "finish_reason"))},
    },
)

SELF_CORRECTION_TRACES = TableSchema(
    name="self_correction_traces",
    columns={
        **_PROBLEM,
        "attempt_index": Column(pl.Int64, "Which of the attempts at its problem the response begins as."),
        "origin": Column(
            pl.String, "`sampled`: the policy mended it itself; `composed`: wrong step, trigger, right continuation."
        ),
        "messages": Column(MESSAGES, "The chat to train on: instruction, problem, response."),
        **_RESPONSE,
        "loss_mask": Column(_IDS, "For each of `token_ids`, 1 where it is to be learnt, 0 where it is a mistake."),
        "masked_starts": Column(_IDS, "Where each stretch that is not to be learnt begins, in characters of `text`."),
        "masked_ends": Column(_IDS, "Where each such stretch ends (exclusive)."),
        **_ORIGIN,
    },
    key=(*_ATTEMPT_KEY, "origin"),
    rules={
        **_RESPONSE_RULES,
        "origin: known": pl.col("origin").is_in(["sampled", "composed"]),
        "n_triggers: at_least_one": pl.col("n_triggers") >= 1,
        "verdicts: right_at_the_end_alone": (pl.col("verdicts").list.last() == Verdict.EQUAL.value)
        & (pl.col("verdicts").list.count_matches(Verdict.EQUAL.value) == 1),
        "verdicts: wrong_before_it_where_sampled": (pl.col("origin") != "sampled")
        | (pl.col("verdicts").list.get(-2, null_on_oob=True) == Verdict.DIFFERENT.value),
        "messages: end_with_the_text": pl.col("messages").list.last().struct.field("content") == pl.col("text"),
        "loss_mask: one_per_token": _length("loss_mask") == _length("token_ids"),
        "loss_mask: zero_or_one": _each("loss_mask", pl.element().is_in([0, 1])),
        "masked_ends: one_per_start": _length("masked_ends") == _length("masked_starts"),
        "masked_ends: behind_their_starts": (pl.col("masked_ends") - pl.col("masked_starts")).list.min().fill_null(1)
        > 0,
        "masked_ends: within_text": pl.col("masked_ends").list.last().fill_null(0) <= pl.col("text").str.len_chars(),
    },
)
