"""A dataset as a release asset: the round's rows, validated again and published as one immutable version."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import dagster as dg

from dagster_project import report
from dagster_project.about import about, described
from dagster_project.failures import explained
from dagster_project.partitions import ROUNDS
from dagster_project.publishing import publish
from dagster_project.resources.store import Store
from dagster_project.round import StoredRound
from dagster_project.settings.file import Settings
from generators import shown
from generators.dataset import Dataset
from generators.datasets import parents
from releases.draft import Draft
from releases.drafting import laid_out
from releases.errors import NothingToRelease
from releases.registry.registry import Release
from releases.workers import workers


def release_asset(dataset: Dataset[Any], settings: Settings) -> dg.AssetsDefinition:
    """The asset `<dataset>_release`, over all slices of a round."""

    @dg.asset(
        name=f"{dataset.name}_release",
        description=described(dataset, settings),
        partitions_def=ROUNDS,
        deps=list(parents(dataset.stages)),
        group_name="releases",
        kinds={"huggingface", "parquet"},
        owners=settings.releases.owners,
        metadata=about(dataset, settings),
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=settings.rounds.fresh_days)),
    )
    def asset(context: dg.AssetExecutionContext, store: Store) -> dg.MaterializeResult:
        stored = StoredRound(settings=settings, store=store, key=context.partition_key)
        with explained():
            stored.require_ready(dataset.stages)
            if not stored.rows(dataset.name).height:
                raise NothingToRelease(stored.why_empty(dataset.name))
            draft = draft_of(dataset, stored)
            publication = publish(draft, store.releases, settings.hub)
        release = publication.local
        context.log.info(f"{release.dataset} {release.version} is at {release.path}")
        return dg.MaterializeResult(
            metadata=_first_screen(release, draft, dataset)
            | publication.metadata()
            | _metadata(release, draft, main=dataset.main.name)
            | {"sample_rows": report.sample_rows(draft.examples, draft.examples.columns)},
            data_version=dg.DataVersion(release.version),
        )

    return asset


def draft_of(dataset: Dataset[Any], stored: StoredRound) -> Draft:
    """A round of a dataset, validated and laid out in configs and splits; raises SchemaError and ReleaseError."""
    releases = stored.settings.releases
    with workers(releases.workers, on_ray=releases.on_ray) as side_by_side:
        laid = laid_out(dataset, stored.slices(dataset), dataset.parameters_of(stored), workers=side_by_side)
    facts = stored.facts(dataset, laid.main, dataset.more_facts(stored, laid.main, laid.counts))
    draft = laid.draft(facts)
    return replace(draft, major=releases.major.get(dataset.name, 0))


def _first_screen(release: Release, draft: Draft, dataset: Dataset[Any]) -> dict[str, Any]:
    """What a person sees of a release without scrolling: its rows, its labels, three rows cut short."""
    splits = release.rows[dataset.main.name]
    labels: Counter[str] = sum(map(Counter, draft.label_counts.values()), Counter())
    bars = shown.Bars(counts=labels, title="Labels") if labels else shown.Bars(counts=splits, title="Rows by split")
    rows = draft.tables[dataset.main.name].computed().spread(report.SAMPLE_ROWS)
    values: dict[str, shown.Shown] = {"counts": bars, "sample_rows": shown.SampleRows(rows, dataset.sample_columns)}
    by_split = ", ".join(f"{n:,} {split}" for split, n in splits.items())
    headline = f"{release.version} has {sum(splits.values()):,} rows: {by_split}"
    return {"headline": headline} | report.first_screen(values)


def _metadata(release: Release, draft: Draft, *, main: str) -> dict[str, Any]:
    """What else the UI shows of a release, without the name under which columns would stand above everything."""
    rows = {f"{config}/{split}": n for config, splits in release.rows.items() for split, n in splits.items()}
    pictures = {drawn.name.removesuffix(".png"): report.picture(drawn.caption, drawn.png) for drawn in draft.pictures}
    return {
        "version": release.version,
        "is_new": release.is_new,
        "dagster/row_count": sum(release.rows[main].values()),
        "dagster/uri": str(release.path),
        "release": dg.MetadataValue.path(str(release.path)),
        "rows": report.counts(rows),
        **pictures,
        "card": dg.MetadataValue.md((release.path / "README.md").read_text().split("---\n", 2)[-1]),
        "columns": report.columns(
            (name, column.words, column.meaning) for name, column in draft.tables[main].schema.columns.items()
        ),
    }
