"""What the releases of all datasets share: the round as its tables tell it, and the asset that publishes it.

Knows no dataset: a release names its table, the stages behind it and the function that makes a draft of the rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

import dagster as dg
import polars as pl
from upath import UPath

from dagster_project import report
from dagster_project.failures import explained
from dagster_project.partitions import ROUNDS, Cell, round_seed
from dagster_project.publishing import publish
from dagster_project.resources.store import Store
from dagster_project.scorecard import standing
from dagster_project.settings.file import Settings
from dagster_project.unanswered import is_set_aside
from generators.sampling.ledger import totals
from releases.draft import Draft
from releases.errors import NothingToRelease, RoundNotReady
from releases.facts import ReleaseFacts, SourceFacts, StageFacts
from releases.registry.registry import Release

IN_TWO_SLICES = "in_two_slices"  # the reason of rows whose problem an earlier slice has


@dataclass(frozen=True, kw_only=True)
class Round:
    """Every slice of one round: tables, what was dropped, recipes, ledgers."""

    settings: Settings
    store: Store
    key: str

    @property
    def cells(self) -> list[Cell]:
        """The cells of the round, one a slice."""
        return [Cell(round=self.key, slice=slice_key) for slice_key in self.settings.slices()]

    @cached_property
    def repeats(self) -> dict[str, list[str]]:
        """By slice the problems that an earlier slice has too: the same content under another source's name."""
        seen: set[str] = set()
        found = {}
        for cell in self.cells:
            problems = self.store.read(self.store.table("problems", cell))["problem_id"].to_list()
            found[cell.slice] = [problem for problem in problems if problem in seen]
            seen.update(problems)
        return found

    def table(self, asset: str) -> pl.DataFrame:
        """The rows of an asset over all slices, each problem by its first; raises StorageError where one is unmade."""
        return pl.concat([self._first(self.store.table(asset, cell), cell) for cell in self.cells])

    def _first(self, path: UPath, cell: Cell) -> pl.DataFrame:
        return self.store.read(path).filter(~pl.col("problem_id").is_in(self.repeats[cell.slice]))

    def _repeated(self, asset: str) -> int:
        """The rows of an asset that a release leaves out since an earlier slice has their problem."""
        made = sum(self.store.read(self.store.table(asset, cell)).height for cell in self.cells)
        return made - self.table(asset).height

    def recipes(self, asset: str) -> dict[str, dict[str, Any]]:
        """What an asset was made with, by slice, without the slices that were set aside."""
        recipes = {cell.slice: self.store.read_recipe(asset, cell) for cell in self.cells}
        return {key: recipe for key, recipe in recipes.items() if not is_set_aside(recipe)}

    def tokens(self, policies: Sequence[str]) -> dict[str, int]:
        """What stands in the ledgers of some policies."""
        return totals([self.store.ledger_folder(policy, cell) for policy in policies for cell in self.cells])

    def stage(self, asset: str) -> StageFacts:
        """What an asset kept, and what it dropped for which reason."""
        dropped = pl.concat([self.store.read(self.store.dropped(asset, c)).select("reason") for c in self.cells])
        reasons = report.reason_counts(dropped)
        if repeated := self._repeated(asset):
            reasons[IN_TWO_SLICES] = repeated
        return StageFacts(name=asset, kept=self.table(asset).height, dropped=reasons)

    def require_ready(self, stages: Sequence[str]) -> None:
        """Raise RoundNotReady where a slice of `stages` was not made to the end, or failed a check that blocks."""
        found = standing(self.store, self.cells, stages)
        if found.unmade or found.failed:
            wrong = [*(f"{one} was not made to the end" for one in found.unmade), *found.failed]
            raise RoundNotReady(
                f"round {self.key} cannot be released: {'; '.join(wrong)}. Mend the cause, or the bounds in "
                "[checks] of the settings, and materialise these slices again"
            )

    def why_empty(self, dataset: str) -> str:
        """What to tell whoever wants a release of a round without a row."""
        dropped = sorted(self.stage(dataset).dropped.items(), key=lambda item: (-item[1], item[0]))
        reasons = ", ".join(f"{count} {reason}" for reason, count in dropped) or "nothing"
        return (
            f"{dataset}: round {self.key} has no row to release; the asset dropped {reasons}. Its page in the UI says "
            f"what each means; change [{dataset}] of the settings, the problems or the policy, and materialise it again"
        )

    def facts(self, rows: pl.DataFrame, *, stages: Sequence[str], source: str = "source") -> ReleaseFacts:
        """What manifest and card tell of the round; the column `source` of the rows names where a problem came from."""
        policies = sorted(rows["policy"].unique().to_list())
        per_source = rows.group_by(source).agg(pl.col("problem_id").n_unique()).sort(source)
        sources = {one.name: one for one in self.settings.sources}
        return ReleaseFacts(
            policy=", ".join(policies),
            round=self.key,
            sources=[
                SourceFacts(name=n, licence=sources[n].licence, problems=k, answer_rule=sources[n].answer_rule)
                for n, k in per_source.iter_rows()
            ],
            stages=[self.stage(name) for name in stages],
            tokens=self.tokens(policies),
            settings={name: _agreed(self.recipes(name)) for name in stages},
            seeds={"round": round_seed(self.key)},
            licences=self.settings.releases.licences,
        )


def _agreed(by_slice: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The recipe once where the slices agree, else by slice; empty where there is none."""
    if not by_slice:
        return {}
    first, *others = by_slice.values()
    return first if all(other == first for other in others) else by_slice


def release_asset(
    dataset: str,
    *,
    settings: Settings,
    stages: Sequence[str],
    draft: Callable[[Round, pl.DataFrame], Draft],
    sample_columns: Sequence[str],
) -> dg.AssetsDefinition:
    """The asset `<dataset>_release`: the round's rows of the table `dataset`, published as one immutable version.

    `stages` are the assets behind it, the dataset last; `draft` validates the rows and lays them out.
    """

    @dg.asset(
        name=f"{dataset}_release",
        partitions_def=ROUNDS,
        deps=list(stages),
        group_name="releases",
        kinds={"huggingface", "parquet"},
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=settings.rounds.fresh_days)),
    )
    def asset(context: dg.AssetExecutionContext, store: Store) -> dg.MaterializeResult:
        """One immutable version: Parquet, dataset card, manifest."""
        made = Round(settings=settings, store=store, key=context.partition_key)
        with explained():
            rows = made.table(dataset)
            made.require_ready(stages)
            if rows.is_empty():
                raise NothingToRelease(made.why_empty(dataset))
            drafted = replace(draft(made, rows), major=settings.releases.major.get(dataset, 0))
            publication = publish(drafted, store.releases, settings.hub)
        release = publication.local
        context.log.info(f"{release.dataset} {release.version} is at {release.path}")
        return dg.MaterializeResult(
            metadata=_metadata(release, drafted)
            | publication.metadata()
            | {"sample_rows": report.sample_rows(rows, sample_columns)},
            data_version=dg.DataVersion(release.version),
        )

    return asset


def _metadata(release: Release, drafted: Draft) -> dict[str, Any]:
    """What the UI shows of a release."""
    rows = {f"{config}/{split}": n for config, splits in release.rows.items() for split, n in splits.items()}
    pictures = {one.name.removesuffix(".png"): report.picture(one.caption, one.png) for one in drafted.pictures}
    return {
        "dagster/row_count": sum(release.rows["default"].values()),
        "dagster/uri": str(release.path),
        "dagster/column_schema": report.columns(
            (column.name, column.words, column.meaning) for column in drafted.tables["default"].schema.columns
        ),
        "release": dg.MetadataValue.path(str(release.path)),
        "version": release.version,
        "is_new": release.is_new,
        "rows": report.counts(rows),
        **pictures,
        "card": dg.MetadataValue.md((release.path / "README.md").read_text().split("---\n", 2)[-1]),
    }
