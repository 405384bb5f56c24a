"""The release of process labels: every slice of one round, validated again and published as one version."""

from dataclasses import replace

import dagster as dg
import polars as pl

from dagster_project.releasing import Round, release_asset
from dagster_project.settings.file import Settings
from generators.process_labels.audit.audit import audit, audit_by_kind
from generators.search.priors import Priors
from releases.draft import Draft
from releases.process_labels import Export, build_process_labels

STAGES = ("problems", "attempts", "process_labels")


def process_labels_release(settings: Settings) -> dg.AssetsDefinition:
    """The asset over all slices of the settings' sources."""
    return release_asset(
        "process_labels",
        settings=settings,
        stages=STAGES,
        draft=draft,
        sample_columns=("prompt", "steps", "n_correct", "n_rollouts", "verdict"),
    )


def draft(made: Round, rows: pl.DataFrame) -> Draft:
    """The round's labels as a draft, with the audit of all slices."""
    found = pl.concat([made.store.read(made.store.audit(cell)) for cell in made.cells])
    facts = made.facts(rows, stages=STAGES)
    judges = sorted(set(rows["judge"].drop_nulls()) - set(rows["policy"]))
    judged = {f"judge_{kind}": count for kind, count in made.tokens(judges).items()} if judges else {}
    facts = replace(facts, tokens={**facts.tokens, **judged}, audit=audit_facts(found))
    return build_process_labels(rows, facts, export_of(made))


def export_of(made: Round) -> Export:
    """How labels are derived: the settings' thresholds, and each slice's priors as its recipe has them."""
    labels = made.settings.process_labels
    strategies = {key: recipe["strategy"] for key, recipe in made.recipes("process_labels").items()}
    return Export(
        hard_threshold=labels.hard_threshold,
        confidence=labels.confidence,
        label_ratio=labels.label_ratio,
        priors={key: Priors(**plain["priors"]) for key, plain in strategies.items() if "priors" in plain},
    )


def audit_facts(found: pl.DataFrame) -> dict[str, dict[str, float | None]]:
    """What the labels found of the errors planted in all slices, over all and by kind; empty when none was planted."""
    if found.is_empty():
        return {}
    places, planted, kinds = (found[name].to_list() for name in ("found", "planted", "kind"))
    audits = {"all": audit(places, planted), **audit_by_kind(places, planted, kinds)}
    return {kind: dict(one.facts()) for kind, one in audits.items()}
