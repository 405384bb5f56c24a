"""Make a preview: a few problems through every chosen dataset, and what a whole round would cost by that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from dagster_project.partitions import Cell
from dagster_project.planning import SAMPLED, Plan, PlannedAsset
from dagster_project.preflight.attempts import unanswered_in
from dagster_project.preflight.report import CannotWork, check
from dagster_project.preview.few import previewed, shares
from dagster_project.resources.store import Store
from dagster_project.running.listener import Listener
from dagster_project.running.selection import Selection, select
from dagster_project.runs import InProcess, RoundMaker, RoundResult, log_of
from dagster_project.scorecard import read_cost
from dagster_project.settings.file import Settings
from filters.rules import reason_counts
from filters.schema import Schema
from generators.attempts.unanswered import Unanswered
from generators.dataset import Dataset
from generators.sampling.storage import remove
from releases.measuring import joined

COST = ".cost.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to preview: the settings of a few problems, how many of each source those are, and how many there are."""

    settings: Settings
    selection: Selection
    given: Mapping[str, int]
    usable: Mapping[str, int]
    round: str

    @property
    def log(self) -> Path:
        """A new file for the events."""
        return log_of(self.settings, self.round)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetPreview:
    """The rows of a dataset, and by stage and reason how many rows were dropped; `failed` says why a stage crashed."""

    dataset: Dataset[Any]
    rows: pl.DataFrame
    dropped: Mapping[str, Mapping[str, int]]
    failed: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What was made of a few problems, how many attempts lack an answer, and the forecast of a whole round."""

    order: Order
    datasets: tuple[DatasetPreview, ...]
    unanswered: tuple[Unanswered, ...]
    forecast: Plan
    seconds: float


def order(settings: Settings, *, n: int, seed: int, only: Sequence[str] = ()) -> Order:
    """Choose problems and datasets; raises WrongSelection, or CannotWork for what `stepmill check` refuses."""
    stages = select(settings, only=only).stages
    report = check(settings, stages=stages)
    if report.refused:
        raise CannotWork("\n  ".join(finding.sentence for finding in report.refused))
    usable = {read.name: read.usable for read in report.sources}
    given = shares(n, usable)
    few = previewed(settings, given, seed=seed)
    return Order(
        settings=few,
        selection=select(few, only=only, releases=False),
        given=given,
        usable=usable,
        round=f"preview-{n}-{seed}",  # its rollouts are kept under this name, and its costs hold for this number
    )


def make(asked: Order, listener: Listener, log: Path) -> Preview:
    """Make the preview; a stage that crashes costs only the datasets that read it. Raises StorageError."""
    store = Store(data_root=asked.settings.data_root)
    _clear(store, asked.round)
    results = []
    with dg.DagsterInstance.ephemeral() as instance:
        runner = InProcess(settings=asked.settings, instance=instance)
        maker = RoundMaker(settings=asked.settings, instance=instance, runner=runner, listener=listener)
        for key in asked.selection.slices:  # one by one, since a round ends with the first slice that crashes
            alone = select(asked.settings, only=_names(asked), slices=[key], releases=False)
            results.append(maker.make(asked.round, alone, log=log))
    return Preview(
        order=asked,
        datasets=tuple(_of_dataset(dataset, asked, store, results) for dataset in asked.selection.datasets),
        unanswered=tuple(
            lacking
            for source in asked.settings.sources
            if (lacking := unanswered_in(store, asked.settings, source, asked.round)) is not None
        ),
        forecast=forecast(asked, store),
        seconds=sum(result.seconds for result in results),
    )


def forecast(asked: Order, store: Store) -> Plan:
    """What a whole round costs if all problems are like the previewed ones."""
    costs, planned = [], []
    for name, n_usable in asked.usable.items():
        cell = Cell(round=asked.round, slice=f"{name}-0")
        for stage in SAMPLED:
            cost = read_cost(store, stage.name, cell)
            if cost is not None and cost.problems:
                factor = n_usable / cost.problems
                tokens, rollouts = cost.tokens * factor, cost.rollouts * factor
                planned.append(PlannedAsset(slice=name, asset=stage.name, rollouts=rollouts, tokens=tokens, basis=cell))
                costs.append(cost)
    seconds = sum(cost.seconds for cost in costs if cost.tokens)
    pace = sum(cost.tokens for cost in costs) / seconds if seconds else 0.0
    unknown = tuple(name for name in asked.usable if name not in asked.given)
    return Plan(assets=tuple(planned), unknown=unknown, tokens_per_second=pace)


def _names(asked: Order) -> list[str]:
    """The chosen datasets by name; none if all stages are made."""
    return [dataset.name for dataset in asked.selection.datasets]


def _clear(store: Store, round_key: str) -> None:
    """Delete the tables of an earlier preview, but not what they cost: their rollouts are in the ledger."""
    for file in store.root.glob(f"tables/*/{round_key}/*"):
        if not file.name.endswith(COST):
            remove(file)


def _of_dataset(dataset: Dataset[Any], asked: Order, store: Store, results: Sequence[RoundResult]) -> DatasetPreview:
    cells = [Cell(round=asked.round, slice=key) for key in asked.selection.slices]
    crashes = [crash for result in results for crash in result.crashes if crash.table.asset in dataset.stages]
    dropped = {
        stage: reason_counts(pl.concat([store.read(path).select("reason") for path in paths]))
        for stage in dataset.stages
        if (paths := [path for cell in cells if (path := store.dropped(stage, cell)).exists()])
    }
    schemas = (dataset.table_schema(dataset.main), *dataset.main.joined)
    return DatasetPreview(
        dataset=dataset,
        rows=joined(dataset, dataset.main, {schema.name: _table(schema, cells, store) for schema in schemas}),
        dropped={stage: reasons for stage, reasons in dropped.items() if reasons},
        failed="; ".join(f"{crash.table}: {crash.why}" for crash in crashes) or None,
    )


def _table(schema: Schema, cells: Sequence[Cell], store: Store) -> pl.DataFrame:
    """The rows of a table over the cells that have it."""
    paths = [path for cell in cells if (path := store.table(schema.name, cell)).exists()]
    return pl.concat([schema.empty(), *(schema.completed(store.read(path)) for path in paths)])
