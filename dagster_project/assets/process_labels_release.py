"""The release of process labels: every slice of one round, validated again and published as one version."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import dagster as dg
import polars as pl

from dagster_project import report
from dagster_project.failures import explained
from dagster_project.partitions import ROUNDS, Cell, round_seed
from dagster_project.publishing import publish
from dagster_project.resources.store import Store
from dagster_project.settings import Settings
from generators.audit import audit, audit_by_kind
from generators.ledger import totals
from generators.priors import Priors
from releases.facts import ReleaseFacts, SourceFacts, StageFacts
from releases.process_labels import Export, build_process_labels

STAGES = ("problems", "attempts", "process_labels")


def process_labels_release(settings: Settings) -> dg.AssetsDefinition:
    """The asset over all slices of the settings' sources."""

    @dg.asset(
        name="process_labels_release",
        partitions_def=ROUNDS,
        deps=["problems", "attempts", "process_labels"],
        group_name="releases",
        kinds={"huggingface", "parquet"},
    )
    def asset(context: dg.AssetExecutionContext, store: Store) -> dg.MaterializeResult:
        """One immutable version: Parquet, dataset card, manifest."""
        round_key = context.partition_key
        with explained():
            rows = pl.concat([store.read(store.table("process_labels", cell)) for cell in _cells(settings, round_key)])
            facts = release_facts(settings, store, round_key, rows)
            draft = build_process_labels(rows, facts, export_of(settings, store, round_key))
            draft = replace(draft, major=settings.releases.major.get(draft.dataset, 0))
            publication = publish(draft, store.releases, settings.hub)
        release = publication.local
        context.log.info(f"{release.dataset} {release.version} is at {release.path}")
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(release.rows["default"].values()),
                "dagster/uri": str(release.path),
                "version": release.version,
                "is_new": release.is_new,
                **publication.metadata(),
                "rows": report.counts(
                    {f"{c}/{split}": n for c, splits in release.rows.items() for split, n in splits.items()}
                ),
                **{
                    picture.name.removesuffix(".png"): report.picture(picture.caption, picture.png)
                    for picture in draft.pictures
                },
                "sample_rows": report.sample_rows(rows, ("prompt", "steps", "n_correct", "n_rollouts", "verdict")),
                "card": dg.MetadataValue.md((release.path / "README.md").read_text().split("---\n", 2)[-1]),
            },
            data_version=dg.DataVersion(release.version),
        )

    return asset


def export_of(settings: Settings, store: Store, round_key: str) -> Export:
    """How labels are derived: the settings' thresholds, and each slice's priors as its recipe has them."""
    labels = settings.process_labels
    recipes = {cell.slice: store.read_recipe("process_labels", cell) for cell in _cells(settings, round_key)}
    priors = {key: recipe["strategy"]["priors"] for key, recipe in recipes.items() if "priors" in recipe["strategy"]}
    return Export(
        hard_threshold=labels.hard_threshold,
        confidence=labels.confidence,
        label_ratio=labels.label_ratio,
        priors={key: Priors(**plain) for key, plain in priors.items()},
    )


def release_facts(settings: Settings, store: Store, round_key: str, rows: pl.DataFrame) -> ReleaseFacts:
    """What manifest and card tell of the round, read from its tables and its ledger."""
    cells = _cells(settings, round_key)
    policies = sorted(rows["policy"].unique().to_list())
    judges = sorted(set(rows["judge"].drop_nulls()) - set(policies))
    judge_tokens = {f"judge_{kind}": count for kind, count in _tokens(store, judges, cells).items()} if judges else {}
    per_source = rows.group_by("source").agg(pl.col("problem_id").n_unique()).sort("source")
    sources = {source.name: source for source in settings.sources}
    return ReleaseFacts(
        policy=", ".join(policies),
        round=round_key,
        sources=[
            SourceFacts(name=n, licence=sources[n].licence, problems=count, answer_rule=sources[n].answer_rule)
            for n, count in per_source.iter_rows()
        ],
        stages=[_stage(store, name, cells) for name in STAGES],
        tokens=_tokens(store, policies, cells) | judge_tokens,
        settings={name: _recipe(store, name, cells) for name in STAGES},
        seeds={"round": round_seed(round_key)},
        audit=audit_facts(pl.concat([store.read(store.audit(cell)) for cell in cells])),
    )


def audit_facts(found: pl.DataFrame) -> dict[str, dict[str, float | None]]:
    """What the labels found of the errors planted in all slices, over all and by kind; empty when none was planted."""
    if found.is_empty():
        return {}
    places, planted, kinds = (found[name].to_list() for name in ("found", "planted", "kind"))
    audits = {"all": audit(places, planted), **audit_by_kind(places, planted, kinds)}
    return {kind: dict(one.facts()) for kind, one in audits.items()}


def _cells(settings: Settings, round_key: str) -> list[Cell]:
    return [Cell(round=round_key, slice=key) for key in settings.slices()]


def _tokens(store: Store, policies: Sequence[str], cells: Sequence[Cell]) -> dict[str, int]:
    return totals([store.ledger_folder(policy, cell) for policy in policies for cell in cells])


def _recipe(store: Store, name: str, cells: Sequence[Cell]) -> dict[str, Any]:
    """What the slices of a stage were made with: once where they agree, else by slice."""
    by_slice = {cell.slice: store.read_recipe(name, cell) for cell in cells}
    first, *others = by_slice.values()
    return first if all(other == first for other in others) else by_slice


def _stage(store: Store, name: str, cells: Sequence[Cell]) -> StageFacts:
    kept = sum(store.read(store.table(name, cell)).height for cell in cells)
    dropped = pl.concat([store.read(store.dropped(name, cell)).select("reason") for cell in cells])
    return StageFacts(name=name, kept=kept, dropped=report.reason_counts(dropped))
