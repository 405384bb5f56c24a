"""The metadata of self-corrections: success by budget, what triggers did, what a row cost, rows to read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from filters.answers.verdicts import AnswerRule
from filters.rules import Filtered
from generators.records import Attempt
from generators.self_correction_traces.aggregation import Answered, by_majority, by_verifier
from generators.self_correction_traces.budgets import success_by_budget
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.corrections import State, transitions
from generators.self_correction_traces.prefill import prefill
from generators.self_correction_traces.recipe import CorrectedProblem
from generators.self_correction_traces.records import DeepenedResponse
from generators.self_correction_traces.table import attempt_outcomes, deepened_outcomes
from generators.shown import Counts, Facts, Histogram, Records, SampleRows, Shown

Attempts = Mapping[str, Sequence[Attempt]]


def shown(
    rows: pl.DataFrame,
    *,
    corrected: Sequence[CorrectedProblem],
    attempts: Attempts,
    located: Filtered,
    config: SelfCorrectionConfig,
    rule: AnswerRule,
) -> dict[str, Shown]:
    """Counts, tables, a picture and rows of one slice; `attempts` are by problem id, `located` filters the labels."""
    responses = responses_of(corrected)
    masked = [1 - sum(mask) / len(mask) for mask in rows["loss_mask"].to_list()]
    comparable = {
        problem.problem.problem_id: attempts[problem.problem.problem_id][: config.settings.samples]
        for problem in corrected
    }
    reading = prefill(responses)
    texts = pl.Series("marked", [marked(row) for row in rows.iter_rows(named=True)], dtype=pl.String)
    return {
        "origins": Counts(Counter(rows["origin"].to_list())),
        "yields": Facts(yields(corrected, located)),
        "transitions": Counts({f"{before} to {after}": n for (before, after), n in transitions(responses).items()}),
        "success_by_budget": Records(success(responses, comparable, config, rule)),
        "one_of_several": Records(one_of_several(corrected, comparable)),
        "cost": Facts(cost(corrected)),
        "prefill": Facts({**asdict(reading), "saved": reading.saved}),
        "masked_shares": Histogram(values=masked, title="Masked part of a row", x="share of tokens", y="rows"),
        "sample_rows": SampleRows(
            rows.with_columns(texts), ("prompt", "origin", "marked", "answers", "verdicts", "answer")
        ),
    }


def responses_of(corrected: Sequence[CorrectedProblem]) -> list[DeepenedResponse]:
    """The deepened responses to all problems."""
    return [response for problem in corrected for response in problem.responses]


def yields(corrected: Sequence[CorrectedProblem], located: Filtered) -> dict[str, int]:
    """Counts at each stage on the way to a row, for both origins."""
    responses = responses_of(corrected)
    origins = Counter(correction.origin for problem in corrected for correction in problem.corrections)
    by_states: Counter[tuple[State, State]] = transitions(responses)
    return {
        "responses": len(responses),
        "responses with a trigger": sum(response.n_triggers > 0 for response in responses),
        "wrong answers before a trigger": sum(n for (before, _), n in by_states.items() if before == "wrong"),
        "right answers after it": by_states["wrong", "right"],
        "sampled rows": origins["sampled"],
        "labelled solutions": located.kept.height + located.dropped.height,
        "wrong ones whose first error is known": located.kept.height,
        "composed rows": origins["composed"],
    }


def success(
    responses: Sequence[DeepenedResponse], attempts: Attempts, config: SelfCorrectionConfig, rule: AnswerRule
) -> pl.DataFrame:
    """Pass rate by tokens per sample, for attempts alone and for the same ones with triggers."""
    outcomes = pl.concat(
        [
            attempt_outcomes((attempt for of_problem in attempts.values() for attempt in of_problem), "attempts", rule),
            deepened_outcomes(responses, "with_triggers", rule),
        ]
    )
    return success_by_budget(outcomes, sorted({*config.budgets, config.max_tokens}))


def one_of_several(corrected: Sequence[CorrectedProblem], attempts: Attempts) -> pl.DataFrame:
    """How many problems one sample, the majority of all, and the best of them by the verifier (pass@N) solve."""
    methods: dict[str, list[Sequence[Answered]]] = {
        "attempts": list(attempts.values()),
        "with_triggers": [problem.responses for problem in corrected],
    }
    rows = [
        {
            "method": method,
            "problems": len(by_problem),
            "one_sample": _share_right([sample for samples in by_problem for sample in samples]),
            "majority": _share_right([by_majority(samples) for samples in by_problem]),
            "best_of_n": _share_right([by_verifier(samples) for samples in by_problem]),
        }
        for method, by_problem in methods.items()
    ]
    return pl.DataFrame(rows)


def _share_right(chosen: Sequence[Answered | None]) -> float | None:
    """The share of right samples; 0 if there is none."""
    return sum(sample is not None and sample.verdict.is_right for sample in chosen) / len(chosen) if chosen else None


def cost(corrected: Sequence[CorrectedProblem]) -> dict[str, float | int | None]:
    """The tokens that responses cost after their first boundary, up to which they are attempts, and that per row.

    What composed rows cost beyond the search for the first error is part of the run's `tokens_generated`.
    """
    sampled = sum(correction.origin == "sampled" for problem in corrected for correction in problem.corrections)
    generated = sum(
        response.boundaries[-1].generated - response.boundaries[0].generated for response in responses_of(corrected)
    )
    return {
        "tokens generated after the first boundary": generated,
        "of these per sampled row": generated / sampled if sampled else None,
    }


def marked(row: Mapping[str, Any]) -> str:
    """The text of a row with its masked spans in ⟦brackets⟧ and an arrow before every trigger."""
    ends, starts = ([(at, mark) for at in row[name]] for name, mark in (("masked_ends", "⟧"), ("masked_starts", "⟦")))
    arrows, position = [], 0
    for attempt, trigger in zip(row["attempts"], row["triggers"], strict=False):  # no trigger follows the last attempt
        position += len(attempt)
        arrows.append((position + len(trigger) - len(trigger.lstrip()), "→ "))
        position += len(trigger)
    text, last = "", 0
    for at, mark in sorted([*ends, *arrows, *starts], key=lambda entry: entry[0]):
        text += row["text"][last:at] + mark
        last = at
    return f"{text}{row['text'][last:]}"
