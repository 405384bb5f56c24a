"""The release of self-correction traces: every slice of one round, validated again and published as one version."""

from dataclasses import replace

import dagster as dg
import polars as pl

from dagster_project.releasing import Round, release_asset
from dagster_project.settings.file import Settings
from filters.answers.verdicts import Verdict
from generators.self_correction_traces.corrections import verdict_transitions
from releases.draft import Draft
from releases.facts import Figures
from releases.self_correction_traces import build_self_correction_traces

STAGES = ("problems", "attempts", "process_labels", "self_correction_traces")
TRANSITIONS = "What stood before a trigger (rows) and behind it (columns)"


def self_correction_traces_release(settings: Settings) -> dg.AssetsDefinition:
    """The asset over all slices of the settings' sources."""
    return release_asset(
        "self_correction_traces",
        settings=settings,
        stages=STAGES,
        draft=draft,
        sample_columns=("prompt", "origin", "text", "answers", "verdicts"),
    )


def draft(made: Round, rows: pl.DataFrame) -> Draft:
    """The round's corrections as a draft, with what the triggers did in all responses of the round."""
    facts = made.facts(rows, stages=STAGES)
    moves = transition_figures(made.table("deepened_responses"))
    return build_self_correction_traces(rows, replace(facts, figures={TRANSITIONS: moves} if moves else {}))


def transition_figures(responses: pl.DataFrame) -> Figures:
    """How often the answer before a trigger, a row, and the one behind it, a column, were what."""
    chains = ([Verdict(verdict) for verdict in one] for one in responses["verdicts"].to_list())
    counts = verdict_transitions(chains)
    states = sorted({state for pair in counts for state in pair})
    return {before: {after: counts[before, after] for after in states} for before in states}
