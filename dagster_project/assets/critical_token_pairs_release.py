"""The release of critical-token pairs: every slice of one round, validated again and published as one version."""

import dagster as dg
import polars as pl

from dagster_project.releasing import Round, release_asset
from dagster_project.settings.file import Settings
from filters.schema import SchemaError
from generators.critical_token_pairs.tokens.confirmation import Confirmation
from generators.search.priors import Priors
from releases.critical_token_pairs import Export, build_critical_token_pairs
from releases.draft import Draft

_BOUNDS = ("never", "least", "confidence")
STAGES = ("problems", "attempts", "process_labels", "contrastive_models", "critical_token_pairs")


def critical_token_pairs_release(settings: Settings) -> dg.AssetsDefinition:
    """The asset over all slices of the settings' sources."""
    return release_asset(
        "critical_token_pairs",
        settings=settings,
        stages=STAGES,
        draft=draft,
        sample_columns=("prompt", "chosen", "rejected", "critical_positions", "critical_confirmed"),
    )


def draft(made: Round, rows: pl.DataFrame) -> Draft:
    """The round's pairs as a draft, confirmed again by each slice's priors and by the bounds they were made with."""
    return build_critical_token_pairs(rows, made.facts(rows, stages=STAGES), export_of(made))


def export_of(made: Round) -> Export:
    """What confirmations follow from, by the slices' recipes; raises SchemaError where the slices had other bounds."""
    recipes = made.recipes("critical_token_pairs")
    bounds = {tuple(recipe["confirmation"][name] for name in _BOUNDS) for recipe in recipes.values()}
    if len(bounds) > 1:
        raise SchemaError(
            f"critical_token_pairs: slices of round {made.key} were confirmed with other {', '.join(_BOUNDS)} than "
            "others: materialise them again with one setting"
        )
    never, least, confidence = bounds.pop()
    return Export(
        priors={key: Priors(**recipe["priors"]) for key, recipe in recipes.items()},
        confirmation=Confirmation(never=never, least=least, confidence=confidence),
    )
