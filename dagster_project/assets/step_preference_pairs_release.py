"""The release of step preference pairs: every slice of one round, validated again and published as one version."""

import dagster as dg
import polars as pl

from dagster_project.releasing import Round, release_asset
from dagster_project.settings.file import Settings
from releases.draft import Draft
from releases.step_preference_pairs import build_step_preference_pairs

STAGES = ("problems", "attempts", "process_labels", "step_preference_pairs")


def step_preference_pairs_release(settings: Settings) -> dg.AssetsDefinition:
    """The asset over all slices of the settings' sources."""
    return release_asset(
        "step_preference_pairs",
        settings=settings,
        stages=STAGES,
        draft=draft,
        sample_columns=("prompt", "initial_reason_steps", "chosen", "rejected", "margin"),
    )


def draft(made: Round, rows: pl.DataFrame) -> Draft:
    """The round's pairs as a draft."""
    return build_step_preference_pairs(rows, made.facts(rows, stages=STAGES, source="dataset"))
