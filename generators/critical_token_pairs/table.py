"""Critical-token pairs and the examples of their models as table rows, and first wrong steps from a table of labels.

The tables are declared in `generators.critical_token_pairs.schema`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from generators.critical_token_pairs.folds import fold_of, scoring_fold
from generators.critical_token_pairs.recipe import CriticalTokenPair, chosen_weights, rejected_weights, token_ids
from generators.critical_token_pairs.schema import CONTRASTIVE_MODELS
from generators.critical_token_pairs.tokens.paths import Span, likely_wrong_step, step_span
from generators.records import Attempt, Provenance
from generators.token_columns import rows_with_ids
from generators.tokens import Ids

WrongSteps = Mapping[tuple[str, int, Ids], Span | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredBy:
    """What the scores of a table come from: `models` names those of both sides, by the fold that they learnt from."""

    tokenizer: str
    tokenizer_sha256: str | None
    models: Mapping[int, Mapping[str, str]]
    beta: float


def examples_table(examples: Iterable[tuple[str, Attempt]], provenance: Provenance) -> pl.DataFrame:
    """The `contrastive_models` table of one slice: each row is an attempt and its side."""
    rows = [
        {
            "problem_id": attempt.problem_id,
            "attempt_index": attempt.attempt_index,
            "fold": fold_of(attempt.problem_id),
            "side": side,
            "n_tokens": len(token_ids(attempt)),
            **provenance,
        }
        for side, attempt in examples
    ]
    return CONTRASTIVE_MODELS.frame(rows)


def pair_row(
    pair: CriticalTokenPair, scored_by: ScoredBy, temperature: float, provenance: Provenance
) -> dict[str, Any]:
    """The row of a pair, with weights at `temperature`."""
    scored, tested = pair.scored, pair.critical.tokens
    problem_id, rejected_ratios = scored.problem.problem_id, scored.log_ratios("rejected")
    models = scored_by.models[scoring_fold(problem_id)]
    chosen, rejected, start = scored.pair.chosen, scored.pair.rejected, scored.response_start
    return {
        "problem_id": problem_id,
        "source": scored.problem.source,
        "prompt": scored.problem.prompt,
        "chosen": chosen.text,
        "rejected": rejected.text,
        "answer": scored.problem.answer,
        "also_accepted": scored.problem.also_accepted,
        "chosen_attempt_index": chosen.attempt_index,
        "rejected_attempt_index": rejected.attempt_index,
        "fold": fold_of(problem_id),
        "response_start": start,
        "chosen_token_ids": token_ids(chosen),
        "chosen_scores": scored.chosen_scores.scores,
        "chosen_log_ratios": scored.log_ratios("chosen"),
        "rejected_token_ids": token_ids(rejected),
        "rejected_scores": scored.rejected_scores.scores,
        "rejected_log_ratios": rejected_ratios,
        "chosen_weights": chosen_weights(len(token_ids(chosen)), start),
        "rejected_weights": rejected_weights(rejected_ratios, start, temperature=temperature),
        "critical_positions": [start + token.position for token in tested],
        "critical_token_ids": [token.token_id for token in tested],
        "critical_scores": [token.score for token in tested],
        "critical_nominated_by": [_nominated_by(token.nominated_by) for token in tested],
        "critical_value_with": [token.value_with for token in tested],
        "critical_n_with_correct": [token.n_with_correct for token in tested],
        "critical_n_with": [token.n_with for token in tested],
        "critical_value_without": [token.value_without for token in tested],
        "critical_n_without_correct": [token.n_without_correct for token in tested],
        "critical_n_without": [token.n_without for token in tested],
        "critical_confirmed": [token.confirmed for token in tested],
        "n_attempts": pair.attempt_counts.n_rollouts,
        "n_attempts_right": pair.attempt_counts.n_correct,
        "templated_prompt": pair.templated_prompt,
        "is_stable": pair.is_stable,
        "tokenizer": scored_by.tokenizer,
        "tokenizer_sha256": scored_by.tokenizer_sha256,
        "beta": scored_by.beta,
        "positive_model": models["positive"],
        "negative_model": models["negative"],
        **provenance,
    }


def wrong_steps_of(labelled: pl.DataFrame) -> WrongSteps:
    """The first wrong step of every labelled solution, by problem, attempt and tokens; None if it is not known.

    `labelled` is a table of process labels with their derived labels. Where a strategy gives no probabilities, its
    `first_error` counts.
    """
    columns = ("problem_id", "attempt_index", "token_ids", "sound", "first_error", "step_ends")
    return {
        (row["problem_id"], row["attempt_index"], row["token_ids"]): _wrong_step(
            row["sound"], row["first_error"], row["step_ends"]
        )
        for row in rows_with_ids(labelled, columns, ("token_ids",))
    }


def _wrong_step(sound: Sequence[float] | None, first_error: int | None, ends: Sequence[int]) -> Span | None:
    if sound is not None:
        return likely_wrong_step(sound, ends)
    return step_span(first_error, ends) if first_error is not None and first_error >= 0 else None


def _nominated_by(names: Sequence[str]) -> str:
    return "both" if len(names) > 1 else names[0]
