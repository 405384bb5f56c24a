"""The tables of critical-token pairs and of the solutions that the contrastive models learn from."""

import polars as pl

from filters.schema import Column, Schema
from generators.columns import COUNTS, DETAIL, IDS, ORIGIN, PROBLEM, REASON, each, length
from generators.critical_token_pairs.folds import FOLDS
from generators.training.contrastive_models import SIDES

_SHARES = pl.List(pl.Float64)
_TESTED = (
    *("token_ids", "scores", "nominated_by", "value_with", "n_with_correct", "n_with"),
    *("value_without", "n_without_correct", "n_without", "confirmed"),
)


def _of_side(side: str, which: str) -> dict[str, Column]:
    return {
        f"{side}_token_ids": Column(IDS, f"Prompt and {which} solution, with the end-of-text token.", tokenwise=True),
        f"{side}_scores": Column(
            _SHARES,
            f"The contrastive score of each token of prompt and {which} solution; null for the first.",
            nullable_items=True,
            tokenwise=True,
        ),
        f"{side}_log_ratios": Column(
            _SHARES,
            f"For each token of the {which} solution, log(positive / negative): how much likelier it is in right "
            "solutions. 0 on the prompt.",
            tokenwise=True,
        ),
    }


def _side_rules(side: str) -> dict[str, pl.Expr]:
    scores, ratios, weights = f"{side}_scores", f"{side}_log_ratios", f"{side}_weights"
    start = pl.col("response_start")
    on_prompt = pl.col(weights).list.head(start).list.max()
    ratio_on_prompt = pl.col(ratios).list.head(start).list.eval(pl.element().abs()).list.max()
    return {
        f"{side}: not_blank": pl.col(side).str.strip_chars() != "",
        f"{side}_token_ids: behind_response_start": length(f"{side}_token_ids") > start,
        f"{scores}: one_per_token": length(scores) == length(f"{side}_token_ids"),
        f"{ratios}: one_per_token": length(ratios) == length(f"{side}_token_ids"),
        f"{ratios}: finite": each(ratios, pl.element().is_finite()),
        f"{ratios}: nothing_on_the_prompt": ratio_on_prompt == 0,
        f"{weights}: one_per_token": length(weights) == length(f"{side}_token_ids"),
        f"{scores}: null_for_the_first_only": pl.col(scores).list.first().is_null()
        & (pl.col(scores).list.drop_nulls().list.len() == length(scores) - 1),
        f"{scores}: within_0_and_1": each(scores, pl.element().is_null() | pl.element().is_between(0, 1)),
        f"{weights}: within_0_and_1": each(weights, pl.element().is_between(0, 1)),
        f"{weights}: nothing_on_the_prompt": on_prompt == 0,
        f"{weights}: all_on_the_end": pl.col(weights).list.last() == 1,
    }


def _counts_cover(arm: str) -> pl.Expr:
    right, n = f"critical_n_{arm}_correct", f"critical_n_{arm}"
    n_wrong = (pl.col(n) - pl.col(right)).list.min().fill_null(0)
    return (n_wrong >= 0) & each(right, pl.element() >= 0)


CONTRASTIVE_MODELS = Schema(
    name="contrastive_models",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "attempt_index": Column(pl.Int64, "Which of the attempts at the problem the solution is."),
        "fold": Column(pl.Int64, "The fold of the problem; what learns from it scores the problems of the other one."),
        "side": Column(pl.String, "The model that learns from it: `positive` or `negative`."),
        "n_tokens": Column(pl.Int64, "How long it is with its prompt, in the policy's tokens."),
        **ORIGIN,
    },
    key=("problem_id", "attempt_index", "side"),
    rules={
        "fold: known": pl.col("fold").is_in(FOLDS),
        "side: known": pl.col("side").is_in(SIDES),
        "n_tokens: at_least_two": pl.col("n_tokens") >= 2,
    },
)

CRITICAL_TOKEN_PAIRS = Schema(
    name="critical_token_pairs",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "source": PROBLEM["source"],
        "prompt": PROBLEM["prompt"],
        "chosen": Column(pl.String, "A solution with the right answer."),
        "rejected": Column(pl.String, "A solution with the most frequent wrong answer."),
        "answer": PROBLEM["answer"],
        "also_accepted": PROBLEM["also_accepted"],
        "chosen_attempt_index": Column(pl.Int64, "Which of the attempts at the problem is chosen."),
        "rejected_attempt_index": Column(pl.Int64, "Which of them is rejected."),
        "fold": Column(
            pl.Int64, "The fold of the problem, 0 or 1, by its id; the models of its scores learnt from the other fold."
        ),
        "response_start": Column(pl.Int64, "Where the solution begins in the token ids, the same on both sides."),
        **_of_side("chosen", "right"),
        **_of_side("rejected", "wrong"),
        "chosen_weights": Column(
            _SHARES, "The weight of each token: 0 on the prompt, 1 on the solution.", tokenwise=True
        ),
        "rejected_weights": Column(
            _SHARES,
            "The weight of each token: 0 on the prompt, 1 / (1 + exp(log ratio / temperature)) on the solution, 1 on "
            "the last.",
            tokenwise=True,
        ),
        "critical_positions": Column(COUNTS, "The positions of the tested tokens in `rejected_token_ids`."),
        "critical_token_ids": Column(IDS, "The id of each tested token.", tokenwise=True),
        "critical_scores": Column(_SHARES, "The contrastive score of each tested token.", tokenwise=True),
        "critical_nominated_by": Column(pl.List(pl.String), "What nominated each: `score`, `search` or `both`."),
        "critical_value_with": Column(
            _SHARES, "The share of right rollouts after each token; null without one.", nullable_items=True
        ),
        "critical_n_with_correct": Column(COUNTS, "The rollouts after each token that end right."),
        "critical_n_with": Column(
            COUNTS, "The rollouts after each token whose answer could be decided; for the last, the solution itself."
        ),
        "critical_value_without": Column(
            _SHARES,
            "The share of right rollouts with another token in its place; null without one.",
            nullable_items=True,
        ),
        "critical_n_without_correct": Column(COUNTS, "The rollouts with another token in its place that end right."),
        "critical_n_without": Column(COUNTS, "The rollouts with another token in its place that could be decided."),
        "critical_confirmed": Column(pl.List(pl.Boolean), "Whether the token loses the solution, by these rollouts."),
        "n_attempts": Column(pl.Int64, "The attempts at the problem whose answer could be decided."),
        "n_attempts_right": Column(pl.Int64, "How many of them ended right."),
        "templated_prompt": Column(
            pl.String, "The prompt in the policy's template, without what its tokenizer adds in front."
        ),
        "is_stable": Column(
            pl.Boolean, "Whether `templated_prompt` with either solution after it gives the token ids back."
        ),
        "tokenizer": Column(pl.String, "The model whose tokenizer the ids belong to."),
        "tokenizer_sha256": Column(
            pl.String, "The SHA-256 of its tokenizer.json; null if it has no such file.", nullable=True
        ),
        "beta": Column(pl.Float64, "How much the negative model counts against the positive one in a score."),
        "positive_model": Column(pl.String, "The adapter, or the simulated law, of the other fold's right solutions."),
        "negative_model": Column(pl.String, "The adapter, or the simulated law, of the other fold's wrong solutions."),
        **ORIGIN,
    },
    key=("problem_id",),
    rules={
        "fold: known": pl.col("fold").is_in(FOLDS),
        "response_start: above_zero": pl.col("response_start") > 0,
        **_side_rules("chosen"),
        **_side_rules("rejected"),
        "chosen_token_ids: one_prompt": pl.col("chosen_token_ids").list.head(pl.col("response_start"))
        == pl.col("rejected_token_ids").list.head(pl.col("response_start")),
        "chosen: differs_from_rejected": pl.col("chosen") != pl.col("rejected"),
        **{
            f"critical_{name}: one_per_tested_token": length(f"critical_{name}") == length("critical_positions")
            for name in _TESTED
        },
        "critical_positions: rising": each("critical_positions", pl.element().diff().fill_null(1) > 0),
        "critical_positions: inside_the_solution": (
            pl.col("critical_positions").list.min().fill_null(pl.col("response_start")) >= pl.col("response_start")
        )
        & (pl.col("critical_positions").list.max().fill_null(0) < length("rejected_token_ids")),
        "critical_nominated_by: known": each("critical_nominated_by", pl.element().is_in(["score", "search", "both"])),
        "critical_n_with_correct: at_most_n_with": _counts_cover("with"),
        "critical_n_without_correct: at_most_n_without": _counts_cover("without"),
        "critical_confirmed: one_at_most": pl.col("critical_confirmed").list.sum() <= 1,
        "n_attempts_right: between_never_and_always": pl.col("n_attempts_right").is_between(
            0, pl.col("n_attempts"), closed="none"
        ),
        "beta: not_negative": pl.col("beta") >= 0,
    },
)

MODELS_DROPPED = Schema(
    name="contrastive_models_dropped",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "attempt_index": Column(pl.Int64, "The solution that was too long; null for a whole side.", nullable=True),
        "side": Column(pl.String, "`positive` or `negative`; null if the whole slice was skipped.", nullable=True),
        "reason": REASON,
    },
)

DROPPED = Schema(
    name="critical_token_pairs_dropped",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "rejected_attempt_index": Column(pl.Int64, "The rejected solution; null if there is no pair.", nullable=True),
        "reason": REASON,
        "detail": DETAIL,
    },
)
