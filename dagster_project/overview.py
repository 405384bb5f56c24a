"""What there is under a data root: every round with its datasets and what it cost, and every released version.

It imports no Dagster itself; store and settings do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from dagster_project.scorecard import Standing, read_cost, standing
from dagster_project.settings.file import Settings
from generators.datasets import DATASETS, STAGES, dataset_of
from releases.errors import UnknownRelease
from releases.manifest import FILE_NAME
from releases.names import instead
from releases.registry.local import LocalRegistry


class UnknownRound(Exception):
    """There is no such round; the message names those that there are."""


class State(StrEnum):
    """How far a dataset of a round is."""

    UNFINISHED = "unfinished"
    BLOCKED = "blocked"
    EMPTY = "empty"
    READY = "ready"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetOfRound:
    """A dataset of a round: its rows over all slices, and the last version that was released of it."""

    name: str
    state: State
    rows: int
    version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundCost:
    """What the finished runs of a round drew from the policy, and how long they sampled."""

    rollouts: int
    tokens: int
    seconds: float

    def __str__(self) -> str:
        """The cost in words."""
        return f"{self.rollouts:,} rollouts, {self.tokens:,} tokens, {self.seconds:,.0f} s of sampling"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundOverview:
    """A round: the slices that it has of the settings', its datasets, its cost, and what is missing or blocks."""

    name: str
    slices: tuple[str, ...]
    datasets: tuple[DatasetOfRound, ...]
    cost: RoundCost
    state: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseOverview:
    """A released version: rows of the measured config, bytes of all files, and when it was written."""

    dataset: str
    version: str
    round: str
    rows: int
    size: int
    written: datetime
    path: str


def rounds_of(settings: Settings) -> list[RoundOverview]:
    """Every round under the data root, the newest first."""
    store = Store(data_root=settings.data_root)
    registry = LocalRegistry(store.releases)
    versions = {dataset.name: registry.rounds(dataset.name) for dataset in DATASETS}
    return [_round(key, settings, store, versions) for key in _by_age(store)]


def round_of(settings: Settings, name: str | None) -> RoundOverview | None:
    """A round by its name, or the newest; None if there is none at all. Raises UnknownRound."""
    store = Store(data_root=settings.data_root)
    names = _by_age(store)
    if name is not None and name not in names:
        raise UnknownRound(f"there is no round {name} in {settings.data_root}; {instead(name, names, plural='rounds')}")
    if not names:
        return None
    registry = LocalRegistry(store.releases)
    versions = {dataset.name: registry.rounds(dataset.name) for dataset in DATASETS}
    return _round(name or names[0], settings, store, versions)


def releases_of(settings: Settings, dataset: str | None = None) -> list[ReleaseOverview]:
    """Every released version under the data root, by dataset, the oldest first; raises UnknownRelease."""
    registry = LocalRegistry(Store(data_root=settings.data_root).releases)
    names = registry.datasets()
    if dataset is not None and dataset not in names:
        known = instead(dataset, names, plural="datasets")
        raise UnknownRelease(f"there is no release of {dataset} in {registry.where}; {known}")
    return [
        _release(registry, name, version)
        for name in names
        if dataset in (None, name)
        for version in registry.versions(name)
    ]


def _release(registry: LocalRegistry, dataset: str, version: str) -> ReleaseOverview:
    manifest = registry.manifest(dataset, version)
    file = registry.root / dataset / version / FILE_NAME
    known = dataset_of(dataset)
    # Versions of an earlier stepmill measured another config, which they list first.
    measured = manifest.rows.get(known.main.name if known else "") or next(iter(manifest.rows.values()), {})
    return ReleaseOverview(
        dataset=dataset,
        version=version,
        round=manifest.facts.round,
        rows=sum(measured.values()),
        size=sum(one.size for one in manifest.files),
        written=datetime.fromtimestamp(file.stat().st_mtime, UTC),
        path=str(registry.root / dataset / version),
    )


def _by_age(store: Store) -> list[str]:
    """The rounds, the newest first by the time of their problems."""
    folder = store.root / "tables" / "problems"
    times = {
        key: max((file.stat().st_mtime for file in (folder / key).iterdir()), default=0.0) for key in store.rounds()
    }
    return sorted(times, key=lambda key: (times[key], key), reverse=True)


def _round(key: str, settings: Settings, store: Store, versions: Mapping[str, Mapping[str, str]]) -> RoundOverview:
    cells = [Cell(round=key, slice=slice_key) for slice_key in settings.slices()]
    state = standing(store, cells, [stage.name for stage in STAGES])
    costs = [cost for cell in cells for stage in STAGES if (cost := read_cost(store, stage.name, cell)) is not None]
    datasets = []
    for dataset in DATASETS:
        last = [version for version, of in versions[dataset.name].items() if of == key]
        own = state.of(dataset.stages)
        rows = state.rows[dataset.name]
        if own.failed:
            fate = State.BLOCKED
        elif own.unmade:
            fate = State.UNFINISHED
        elif last:
            fate = State.RELEASED
        else:
            fate = State.READY if rows else State.EMPTY
        datasets.append(DatasetOfRound(name=dataset.name, state=fate, rows=rows, version=last[-1] if last else None))
    return RoundOverview(
        name=key,
        slices=tuple(cell.slice for cell in cells if store.table("problems", cell).exists()),
        datasets=tuple(datasets),
        cost=RoundCost(
            rollouts=sum(cost.rollouts for cost in costs),
            tokens=sum(cost.tokens for cost in costs),
            seconds=sum(cost.seconds for cost in costs),
        ),
        state=state,
    )
