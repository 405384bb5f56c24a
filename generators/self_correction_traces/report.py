"""The metadata of self-corrections: success by budget, what triggers did, what a row cost, rows to read."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import polars as pl

from filters.rules import Filtered
from generators.self_correction_traces.tally import Tally
from generators.shown import Counts, Facts, Histogram, Records, SampleRows, Shown


def shown(sample: pl.DataFrame, tally: Tally, located: Filtered) -> dict[str, Shown]:
    """Counts, tables, a picture and some rows of one slice; `located` filters the labels."""
    texts = pl.Series("marked", [marked(row) for row in sample.iter_rows(named=True)], dtype=pl.String)
    return {
        "origins": Counts(tally.origins),
        "yields": Facts(yields(tally, located)),
        "transitions": Counts({f"{before} to {after}": n for (before, after), n in tally.transitions.items()}),
        "success_by_budget": Records(tally.success()),
        "one_of_several": Records(tally.one_of_several()),
        "cost": Facts(cost(tally)),
        "prefill": Facts({**asdict(tally.prefill), "saved": tally.prefill.saved}),
        "masked_shares": Histogram(
            values=tally.masked_shares, title="Masked part of a row", x="share of tokens", y="rows"
        ),
        "sample_rows": SampleRows(
            sample.with_columns(texts), ("prompt", "origin", "marked", "answers", "verdicts", "answer")
        ),
    }


def yields(tally: Tally, located: Filtered) -> dict[str, int]:
    """Counts at each stage on the way to a row, for both origins."""
    return {
        "responses": tally.responses,
        "responses with a trigger": tally.with_trigger,
        "wrong answers before a trigger": sum(n for (before, _), n in tally.transitions.items() if before == "wrong"),
        "right answers after it": tally.transitions["wrong", "right"],
        "sampled rows": tally.origins["sampled"],
        "labelled solutions": located.kept.height + located.dropped.height,
        "wrong ones whose first error is known": located.kept.height,
        "composed rows": tally.origins["composed"],
    }


def cost(tally: Tally) -> dict[str, float | int | None]:
    """The tokens that responses cost after their first boundary, up to which they are attempts, and that per row.

    What composed rows cost beyond the search for the first error is part of the run's `tokens_generated`.
    """
    sampled = tally.origins["sampled"]
    return {
        "tokens generated after the first boundary": tally.generated,
        "of these per sampled row": tally.generated / sampled if sampled else None,
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
