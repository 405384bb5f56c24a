"""What the UI shows of self-corrections: success by budget, what triggers did, what a row cost, rows to read.

Knows the recipe's records and the table of its rows; decides nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg
import polars as pl

from dagster_project import report
from dagster_project.resources.store import Store
from filters.rules import Filtered
from generators.records import Attempt
from generators.self_correction_traces.aggregation import Answered, by_majority, by_verifier
from generators.self_correction_traces.budgets import success_by_budget
from generators.self_correction_traces.corrections import State, transitions
from generators.self_correction_traces.prefill import prefill
from generators.self_correction_traces.recipe import CorrectedProblem, SelfCorrectionConfig
from generators.self_correction_traces.table import attempt_outcomes, deepened_outcomes

ASSET = "self_correction_traces"
Attempts = Mapping[str, Sequence[Attempt]]


def metadata(
    store: Store,
    frame: pl.DataFrame,
    *,
    made: Sequence[CorrectedProblem],
    tried: Attempts,
    located: Filtered,
    law: SelfCorrectionConfig,
) -> dict[str, Any]:
    """Counts, tables, a picture and rows of one slice; `tried` are the attempts, `located` the labelled solutions."""
    masked = [1 - sum(mask) / len(mask) for mask in frame["loss_mask"].to_list()]
    plain = {one.problem.problem_id: tried[one.problem.problem_id][: law.deepening.n] for one in made}
    read = prefill(response for one in made for response in one.responses)
    return {
        "release": dg.MetadataValue.path(str(store.releases / ASSET)),
        "origins": report.counts(Counter(frame["origin"].to_list())),
        "yields": report.facts(yields(made, located)),
        "transitions": report.counts(
            {f"{before} to {after}": n for (before, after), n in transitions_of(made).items()}
        ),
        "success_by_budget": report.records(success(made, plain, law)),
        "one_of_several": report.records(one_of_several(made, plain)),
        "cost": report.facts(cost(made)),
        "prefill": report.facts({**asdict(read), "saved": read.saved}),
        "masked_shares": report.histogram(masked, title="Masked part of a row", x="share of tokens", y="rows"),
        "sample_rows": report.sample_rows(
            frame.with_columns(marked=pl.Series([marked(row) for row in frame.iter_rows(named=True)], dtype=pl.String)),
            ("prompt", "origin", "marked", "answers", "verdicts", "answer"),
        ),
    }


def transitions_of(made: Sequence[CorrectedProblem]) -> Counter[tuple[State, State]]:
    """How often the answers before and behind a trigger were what, over all responses."""
    return transitions(response for one in made for response in one.responses)


def yields(made: Sequence[CorrectedProblem], located: Filtered) -> dict[str, int]:
    """How many there are at each stage on the way to a row of either origin."""
    responses = [response for one in made for response in one.responses]
    origins = Counter(correction.origin for one in made for correction in one.corrections)
    moves = transitions_of(made)
    return {
        "responses": len(responses),
        "responses with a trigger": sum(response.n_triggers > 0 for response in responses),
        "wrong answers before a trigger": sum(n for (before, _), n in moves.items() if before == "wrong"),
        "right ones behind it": moves["wrong", "right"],
        "sampled rows": origins["sampled"],
        "labelled solutions": located.kept.height + located.dropped.height,
        "wrong ones whose first error is known": located.kept.height,
        "composed rows": origins["composed"],
    }


def success(made: Sequence[CorrectedProblem], plain: Attempts, law: SelfCorrectionConfig) -> pl.DataFrame:
    """Pass rate against tokens a sample: attempts alone, and the same ones with triggers."""
    config = law.deepening
    looks = pl.concat(
        [
            attempt_outcomes((one for attempts in plain.values() for one in attempts), "attempts"),
            deepened_outcomes((response for one in made for response in one.responses), "with_triggers"),
        ]
    )
    return success_by_budget(looks, sorted({*config.budgets, config.max_tokens}))


def one_of_several(made: Sequence[CorrectedProblem], plain: Attempts) -> pl.DataFrame:
    """How many problems one sample, the majority of all, and the best of them by the verifier (pass@N) solve."""
    ways: dict[str, list[Sequence[Answered]]] = {
        "attempts": list(plain.values()),
        "with_triggers": [one.responses for one in made],
    }
    rows = [
        {
            "method": way,
            "problems": len(by_problem),
            "one_sample": _share([sample for samples in by_problem for sample in samples]),
            "majority": _share([by_majority(samples) for samples in by_problem]),
            "best_of_n": _share([by_verifier(samples) for samples in by_problem]),
        }
        for way, by_problem in ways.items()
    ]
    return pl.DataFrame(rows)


def _share(chosen: Sequence[Answered | None]) -> float | None:
    """The share of right ones; no answer at all is not right."""
    return sum(one is not None and one.verdict.is_right for one in chosen) / len(chosen) if chosen else None


def cost(made: Sequence[CorrectedProblem]) -> dict[str, float | int | None]:
    """What the responses generated behind their first boundary, up to which they are attempts, and that a sampled row.

    What composed rows cost beyond the search for the first error stands in the run's own `tokens_generated`.
    """
    sampled = sum(correction.origin == "sampled" for one in made for correction in one.corrections)
    behind = sum(
        response.boundaries[-1].generated - response.boundaries[0].generated
        for one in made
        for response in one.responses
    )
    return {
        "tokens generated behind the first boundary": behind,
        "of these a sampled row": behind / sampled if sampled else None,
    }


def marked(row: Mapping[str, Any]) -> str:
    """The text of a row with ⟦what is not to be learnt⟧ and an arrow before every trigger."""
    ends, starts = ([(at, mark) for at in row[name]] for name, mark in (("masked_ends", "⟧"), ("masked_starts", "⟦")))
    arrows, place = [], 0
    for attempt, trigger in zip(
        row["attempts"], row["triggers"], strict=False
    ):  # behind the last one stands no trigger
        place += len(attempt)
        arrows.append((place + len(trigger) - len(trigger.lstrip()), "→ "))
        place += len(trigger)
    shown, last = "", 0
    for at, mark in sorted([*ends, *arrows, *starts], key=lambda one: one[0]):
        shown += row["text"][last:at] + mark
        last = at
    return f"{shown}{row['text'][last:]}"
