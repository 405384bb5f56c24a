"""The tables of long chains of thought: the mix of queries, samples, traces, pairs, and problems without a row."""

from typing import get_args

import polars as pl

from filters.answers.verdicts import VERIFIER, Verdict
from filters.schema import MESSAGES, Column, Schema
from generators.columns import (
    COUNTS,
    DECISION,
    DETAIL,
    FOUND,
    IDS,
    IS_ANSWERED,
    KNOWN_VERDICT,
    OPTIONAL_ANSWER,
    ORIGIN,
    PROBLEM,
    REASON,
    ROUNDING,
    SOLUTION,
    UNDECIDED,
    length,
)
from generators.long_cot_traces.behaviours import Kind

_SAMPLING = {
    "sampling": Column(pl.String, "The sampling parameters, as JSON."),
    "max_tokens": Column(pl.Int64, "How many tokens a sample was allowed."),
}
_SCORE = {
    "scored_by": Column(pl.String, "`verifier`, or the name of the reward model; it scored the solution alone."),
    "score": Column(pl.Float64, "1 or 0 by the verifier, else the reward model's score.", nullable=True),
    "verdict": Column(
        pl.String, "The result of comparing the final answer with the gold; null without.", nullable=True
    ),
    "extracted": DECISION["extracted"],
    "found_by": DECISION["found_by"],
}
_SAMPLE = {
    "sample_index": Column(pl.Int64, "Which of the samples of its problem this is, from 0."),
    "prompt_token_ids": SOLUTION["prompt_token_ids"],
    "token_ids": Column(
        IDS, "The answer in the policy's token ids, with the closing tag of the recipe.", tokenwise=True
    ),
    "thoughts_closed_by": Column(
        pl.String,
        "Who wrote the closing tag: `policy`, or `recipe` where the policy had ended without it.",
        nullable=True,
    ),
    "closing_token_start": Column(
        pl.Int64, "Where the recipe's tag begins in `token_ids`; null if the policy wrote it.", nullable=True
    ),
    "closing_token_end": Column(pl.Int64, "Where it ends (exclusive).", nullable=True),
}
_IS_CLOSED = pl.col("thoughts_closed_by").is_not_null()
_IS_RECIPES = pl.col("thoughts_closed_by").eq_missing(pl.lit("recipe"))
_CLOSING = {
    "thoughts_closed_by: known": pl.col("thoughts_closed_by").fill_null("policy").is_in(["policy", "recipe"]),
    "closing_token_start: of_the_recipe": pl.col("closing_token_start").is_not_null() == _IS_RECIPES,
    "closing_token_end: of_the_recipe": pl.col("closing_token_end").is_not_null() == _IS_RECIPES,
    "closing_token_start: not_negative": pl.col("closing_token_start").fill_null(0) >= 0,
    "closing_token_end: inside": (
        (pl.col("closing_token_start") < pl.col("closing_token_end"))
        & (pl.col("closing_token_end") < length("token_ids"))
    ).fill_null(True),
}
_BY_VERIFIER = pl.col("scored_by") == VERIFIER
_VERIFIED_SCORE = (
    pl.when(_BY_VERIFIER & (pl.col("verdict") == Verdict.NO_ANSWER.value))
    .then(pl.col("score").fill_null(0) == 0)
    .when(_BY_VERIFIER & pl.col("verdict").is_not_null() & ~pl.col("verdict").is_in(UNDECIDED))
    .then(pl.col("score") == (pl.col("verdict") == Verdict.EQUAL.value).cast(pl.Float64))
    .otherwise(~_BY_VERIFIER | pl.col("score").is_null())
)

LONG_COT_SAMPLES = Schema(
    name="long_cot_samples",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "source": PROBLEM["source"],
        **_SAMPLE,
        "text": Column(pl.String, "The whole answer, with the opening tag where the prompt prefilled it."),
        "finish_reason": Column(pl.String, "Why it ended: `eos`, `stop` or `length`."),
        "malformed": Column(pl.String, "Why it is not in thoughts and solution; null if it is.", nullable=True),
        "internal_thoughts": Column(pl.String, "The text between the tags.", nullable=True),
        "external_solution": Column(pl.String, "The text after the closing tag.", nullable=True),
        **_SCORE,
        "stage": Column(pl.String, "The filter that dropped it; null if it became a row.", nullable=True),
        "reason": Column(pl.String, "Why it was dropped; null if it became a row.", nullable=True),
        **_SAMPLING,
        **ORIGIN,
    },
    key=("problem_id", "sample_index"),
    rules={
        "reason: of_a_stage": pl.col("reason").is_null() == pl.col("stage").is_null(),
        "sample_index: not_negative": pl.col("sample_index") >= 0,
        "internal_thoughts: of_well_formed": pl.col("internal_thoughts").is_null() == pl.col("malformed").is_not_null(),
        "external_solution: of_well_formed": pl.col("external_solution").is_null() == pl.col("malformed").is_not_null(),
        "score: of_well_formed": pl.col("score").is_null() | pl.col("malformed").is_null(),
        "score: finite": pl.col("score").is_null() | pl.col("score").is_finite(),
        "score: follows_verdict": _VERIFIED_SCORE,
        "verdict: known": pl.col("verdict").is_null() | KNOWN_VERDICT,
        "found_by: of_an_answer": FOUND,
        "thoughts_closed_by: of_well_formed": pl.col("malformed").is_not_null() | _IS_CLOSED,
        **_CLOSING,
    },
)

LONG_COT_TRACES = Schema(
    name="long_cot_traces",
    columns={
        **PROBLEM,
        "answer": OPTIONAL_ANSWER,
        "messages": Column(MESSAGES, "Problem and answer as a chat to train on, with the tags around the thoughts."),
        "internal_thoughts": Column(pl.String, "The policy's thoughts."),
        "external_solution": Column(pl.String, "The solution after them."),
        "topic": Column(pl.String, "The topic that the judge gave the problem; null without.", nullable=True),
        "difficulty": Column(pl.String, "`easy`, `medium` or `hard` by pass rate; null without.", nullable=True),
        **_SCORE,
        **{
            f"n_{kind}": Column(pl.Int64, f"How often the thoughts show {kind.replace('_', ' ')}.")
            for kind in get_args(Kind)
        },
        "behaviours": Column(pl.List(pl.String), "Their behaviours in the order in which they begin."),
        "behaviour_starts": Column(COUNTS, "Where each begins in `internal_thoughts`, in characters."),
        "behaviour_ends": Column(COUNTS, "Where each ends (exclusive)."),
        **{
            f"judge_n_{kind}": Column(
                pl.Int64,
                f"How often a judge finds {kind.replace('_', ' ')}; null if it named no number.",
                nullable=True,
            )
            for kind in get_args(Kind)
        },
        "behaviour_judge": Column(pl.String, "The judge that counted besides the rules; null without.", nullable=True),
        **_SAMPLE,
        **_SAMPLING,
        **ORIGIN,
    },
    key=("problem_id",),
    rules={
        "internal_thoughts: not_blank": pl.col("internal_thoughts").str.strip_chars() != "",
        "external_solution: not_blank": pl.col("external_solution").str.strip_chars() != "",
        "messages: user_then_assistant": length("messages") == 2,
        "score: not_null": pl.col("score").is_not_null(),
        "answer: where_verified": IS_ANSWERED == _BY_VERIFIER,
        "thoughts_closed_by: not_null": _IS_CLOSED,
        **_CLOSING,
        "verdict: equal_where_verified": ~_BY_VERIFIER | (pl.col("verdict") == Verdict.EQUAL.value),
        "verdict: of_the_verifier": _BY_VERIFIER | pl.col("verdict").is_null(),
        "difficulty: known": pl.col("difficulty").fill_null("easy").is_in(["easy", "medium", "hard"]),
        "behaviour_starts: one_per_behaviour": length("behaviour_starts") == length("behaviours"),
        "behaviour_ends: one_per_behaviour": length("behaviour_ends") == length("behaviours"),
        "behaviour_ends: behind_starts": (pl.col("behaviour_ends") - pl.col("behaviour_starts")).list.min().fill_null(1)
        > 0,
        "behaviours: counted": pl.sum_horizontal([f"n_{kind}" for kind in get_args(Kind)]) == length("behaviours"),
        **{
            f"judge_n_{kind}: of_a_judge": pl.col(f"judge_n_{kind}").is_null()
            | (pl.col("behaviour_judge").is_not_null() & (pl.col(f"judge_n_{kind}") >= 0))
            for kind in get_args(Kind)
        },
    },
)


def _side(side: str) -> dict[str, Column]:
    """The columns of one side of a pair besides its text."""
    return {
        f"{side}_index": Column(pl.Int64, "Which of the samples of its problem it is, from 0."),
        f"{side}_reward": Column(pl.Float64, "Its score, with the format reward where the policy closed the thoughts."),
        f"{side}_score": Column(pl.Float64, "Its score alone; null of a malformed answer.", nullable=True),
        f"{side}_verdict": Column(pl.String, "The verdict on its final answer; null without one.", nullable=True),
        f"{side}_malformed": Column(pl.String, "Why it is not in thoughts and solution; null if it is.", nullable=True),
        f"{side}_thoughts_closed_by": Column(
            pl.String, "Who closed its thoughts: `policy`, or `recipe`; null if nobody did.", nullable=True
        ),
    }


LONG_COT_PAIRS = Schema(
    name="long_cot_pairs",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "source": PROBLEM["source"],
        "prompt": Column(MESSAGES, "The problem as a chat, without the worked examples that the policy was shown."),
        "answer": OPTIONAL_ANSWER,
        "also_accepted": PROBLEM["also_accepted"],
        "chosen": Column(MESSAGES, "The answer of the highest reward, of the right ones where a verifier scored."),
        "rejected": Column(MESSAGES, "The answer of the lowest reward."),
        **_side("chosen"),
        **_side("rejected"),
        "reward_margin": Column(pl.Float64, "The chosen reward less the rejected one."),
        "scored_by": _SCORE["scored_by"],
        **_SAMPLING,
        **ORIGIN,
    },
    key=("problem_id",),
    rules={
        "reward_margin: above_zero": pl.col("reward_margin") > 0,
        "reward_margin: of_the_rewards": (
            pl.col("chosen_reward") - pl.col("rejected_reward") - pl.col("reward_margin")
        ).abs()
        <= ROUNDING * pl.max_horizontal(1, pl.col("chosen_reward").abs(), pl.col("rejected_reward").abs()),
        "answer: where_verified": IS_ANSWERED == _BY_VERIFIER,
        "chosen_malformed: never": pl.col("chosen_malformed").is_null(),
        "rejected_index: another": pl.col("rejected_index") != pl.col("chosen_index"),
    },
)

QUERY_MIX = Schema(
    name="query_mix",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "criteria": Column(
            pl.List(pl.Boolean), "Whether it meets each criterion, by the judge; null without.", nullable=True
        ),
        "n_criteria": Column(pl.Int64, "How many of them the problem meets; null without.", nullable=True),
        "topic": Column(pl.String, "The topic that the judge gave it; null without.", nullable=True),
        "pass_rate": Column(pl.Float64, "Right attempts among the decided ones; null without.", nullable=True),
        "difficulty": Column(pl.String, "`easy`, `medium` or `hard` by pass rate; null without.", nullable=True),
        "is_kept": Column(pl.Boolean, "Whether the problem was chosen for long chains of thought."),
        "why": Column(pl.String, "Why it was kept or dropped."),
    },
    key=("problem_id",),
    rules={
        "n_criteria: counts_them": pl.col("criteria").is_null()
        | (pl.col("criteria").list.sum() == pl.col("n_criteria")),
        "why: not_blank": pl.col("why") != "",
    },
)

DROPPED = Schema(
    name="long_cot_traces_dropped",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "sample_index": Column(pl.Int64, "The sample; null if the whole problem was dropped.", nullable=True),
        "stage": Column(pl.String, "`mix`, `sampling`, or the filter that dropped it."),
        "reason": REASON,
        "detail": DETAIL,
    },
)

LONG_COT_UNPAIRED = Schema(
    name="long_cot_unpaired",
    columns={"problem_id": PROBLEM["problem_id"], "reason": Column(pl.String, "Why its samples make no pair.")},
    key=("problem_id",),
)
