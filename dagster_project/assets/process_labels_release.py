"""The release of process labels: every slice of one round, validated again and published as one version."""

import dagster as dg
import polars as pl

from dagster_project import report
from dagster_project.partitions import ROUNDS, round_seed
from dagster_project.resources.store import Store
from dagster_project.settings import Settings
from generators.ledger import totals
from releases.errors import ReleaseError
from releases.facts import ReleaseFacts, SourceFacts, StageFacts
from releases.process_labels import build_process_labels
from releases.registry import LocalRegistry

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
        rows = pl.concat([_table(store, "process_labels", round_key, key) for key in settings.slices()])
        facts = release_facts(settings, store, round_key, rows)
        try:
            draft = build_process_labels(rows, facts, hard_threshold=settings.process_labels.hard_threshold)
            release = LocalRegistry(store.releases).publish(draft)
        except ReleaseError as refused:
            raise dg.Failure(str(refused), allow_retries=False) from refused
        context.log.info(f"{release.dataset} {release.version} is at {release.path}")
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(release.rows["default"].values()),
                "dagster/uri": str(release.path),
                "version": release.version,
                "is_new": release.is_new,
                "rows": report.reasons(
                    {f"{c}/{split}": n for c, splits in release.rows.items() for split, n in splits.items()}
                ),
                "load": dg.MetadataValue.md(
                    f'```python\nfrom datasets import load_dataset\n\nrows = load_dataset("{release.path}", "default")\n```'
                ),
                "card": dg.MetadataValue.md((release.path / "README.md").read_text().split("---\n", 2)[-1]),
            },
            data_version=dg.DataVersion(release.version),
        )

    return asset


def release_facts(settings: Settings, store: Store, round_key: str, rows: pl.DataFrame) -> ReleaseFacts:
    """What manifest and card tell of the round, read from its tables and its ledger."""
    policies = sorted(rows["policy"].unique().to_list())
    folders = [store.ledger_folder(policy, round_key, key) for policy in policies for key in settings.slices()]
    per_source = rows.group_by("source").agg(pl.col("problem_id").n_unique()).sort("source")
    licences = {source.name: source.licence for source in settings.sources}
    return ReleaseFacts(
        policy=", ".join(policies),
        round=round_key,
        sources=[SourceFacts(name=n, licence=licences.get(n), problems=count) for n, count in per_source.iter_rows()],
        stages=[_stage(store, name, round_key, list(settings.slices())) for name in STAGES],
        tokens=totals(folders),
        settings=settings.recipes(),
        seeds={"round": round_seed(round_key)},
    )


def _stage(store: Store, name: str, round_key: str, slices: list[str]) -> StageFacts:
    kept = sum(_table(store, name, round_key, key).height for key in slices)
    dropped = [store.read(store.dropped(name, round_key, key)).select("reason") for key in slices]
    return StageFacts(name=name, kept=kept, dropped=report.reason_counts(pl.concat(dropped)))


def _table(store: Store, asset: str, round_key: str, slice_key: str) -> pl.DataFrame:
    return store.read(store.table(asset, round_key, slice_key))
