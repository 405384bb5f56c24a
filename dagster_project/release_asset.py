"""A dataset as a release asset: the round's rows, validated again and published as one immutable version."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import dagster as dg

from dagster_project import report
from dagster_project.failures import explained
from dagster_project.partitions import ROUNDS
from dagster_project.publishing import publish
from dagster_project.resources.store import Store
from dagster_project.round import StoredRound
from dagster_project.settings.file import Settings
from generators.dataset import Dataset
from releases.draft import Draft
from releases.drafting import drafted
from releases.errors import NothingToRelease
from releases.registry.registry import Release


def release_asset(dataset: Dataset[Any], settings: Settings) -> dg.AssetsDefinition:
    """The asset `<dataset>_release`, over all slices of a round."""

    @dg.asset(
        name=f"{dataset.name}_release",
        description="One immutable version: Parquet, dataset card, manifest.",
        partitions_def=ROUNDS,
        deps=[dataset.name],
        group_name="releases",
        kinds={"huggingface", "parquet"},
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=settings.rounds.fresh_days)),
    )
    def asset(context: dg.AssetExecutionContext, store: Store) -> dg.MaterializeResult:
        stored = StoredRound(settings=settings, store=store, key=context.partition_key)
        with explained():
            stored.require_ready(dataset.stages)
            rows = stored.table(dataset.name)
            if rows.is_empty():
                raise NothingToRelease(stored.why_empty(dataset.name))
            draft = draft_of(dataset, stored)
            publication = publish(draft, store.releases, settings.hub)
        release = publication.local
        context.log.info(f"{release.dataset} {release.version} is at {release.path}")
        return dg.MaterializeResult(
            metadata=_metadata(release, draft, main=dataset.main.name)
            | publication.metadata()
            | {"sample_rows": report.sample_rows(rows, dataset.sample_columns)},
            data_version=dg.DataVersion(release.version),
        )

    return asset


def draft_of(dataset: Dataset[Any], stored: StoredRound) -> Draft:
    """A round of a dataset, validated and laid out in configs and splits; raises SchemaError and ReleaseError."""
    rows = stored.table(dataset.name)
    facts = stored.facts(dataset, rows, dataset.more_facts(stored, rows))
    tables = {config.table: stored.table(config.table) for config in dataset.measured if config.table}
    draft = drafted(dataset, tables, facts, dataset.parameters_of(stored))
    return replace(draft, major=stored.settings.releases.major.get(dataset.name, 0))


def _metadata(release: Release, draft: Draft, *, main: str) -> dict[str, Any]:
    """What the UI shows of a release."""
    rows = {f"{config}/{split}": n for config, splits in release.rows.items() for split, n in splits.items()}
    pictures = {drawn.name.removesuffix(".png"): report.picture(drawn.caption, drawn.png) for drawn in draft.pictures}
    return {
        "dagster/row_count": sum(release.rows[main].values()),
        "dagster/uri": str(release.path),
        "dagster/column_schema": report.columns(
            (name, column.words, column.meaning) for name, column in draft.tables[main].schema.columns.items()
        ),
        "release": dg.MetadataValue.path(str(release.path)),
        "version": release.version,
        "is_new": release.is_new,
        "rows": report.counts(rows),
        **pictures,
        "card": dg.MetadataValue.md((release.path / "README.md").read_text().split("---\n", 2)[-1]),
    }
