"""Make a round: every chosen slice, a release of each chosen dataset that no check and no crash keeps back, a policy.

    selection = select(settings, only=["process_labels"])             # dagster_project.running.selection
    with open_instance() as instance:                                  # dagster_project.running.home
        runner = InProcess(settings=settings, instance=instance, listener=panel)
        maker = RoundMaker(settings=settings, instance=instance, runner=runner, listener=panel)
        result = maker.make("2026-11-27", selection, log=path)         # a RoundResult; nothing is printed
    print(report(result))                                              # dagster_project.running.report
    sys.exit(result.exit_code)                                         # 0, 1 or 2 as `stepmill run` says

- `open_instance()` gives the instance whose events the Dagster UI shows; `DagsterInstance.ephemeral()` keeps them
  nowhere, as `stepmill preview` may want it.
- A `Runner` runs one job for one partition and passes its events on: `InProcess` here, `running.launching.Launched` in
  a running Dagster. Replace it to change how the assets of a slice are run.
- A `running.listener.Listener` hears what happens to each table while it happens, and is the only way to a panel.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Protocol
from uuid import uuid4
from zoneinfo import ZoneInfo

import dagster as dg

from dagster_project.definitions import build
from dagster_project.freshness import fresh
from dagster_project.partitions import ROUNDS, Cell
from dagster_project.policies.names import POLICY_ASSETS, POLICY_JOB
from dagster_project.resources.store import Store
from dagster_project.round import StoredRound
from dagster_project.rounds import known_rounds, new_round
from dagster_project.running.events import Crash, Feed
from dagster_project.running.listener import NOBODY, Listener, Made, Table
from dagster_project.running.selection import Selection
from dagster_project.running.signals import termination_kept
from dagster_project.scorecard import Standing, read_scorecard, standing
from dagster_project.settings.file import Settings
from generators.datasets import STAGES

CRASHED, BLOCKED = 1, 2
KEPT = "kept, since finished and fresh"
# Dagster's own lines go to the log of the round, which has every event.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

Hear = Callable[[dg.EventLogEntry], None]


class Fate(StrEnum):
    """What became of a dataset of a round; `WAITING` is one for slices that were not selected."""

    READY = "ready"
    BLOCKED = "blocked"
    UNFINISHED = "unfinished"
    WAITING = "waiting"


class Runner(Protocol):
    """Runs jobs."""

    def run(self, job: str, partition: str, assets: Sequence[str], hear: Hear) -> bool:
        """Run some assets of a job, pass every event on, and say whether the run succeeded."""
        ...


@dataclass(kw_only=True)
class InProcess:
    """Runs jobs in this process, and keeps their events in `instance`; `listener` hears how far each table is."""

    settings: Settings
    instance: dg.DagsterInstance
    listener: Listener = NOBODY

    @cached_property
    def definitions(self) -> dg.Definitions:
        """The definitions of the settings."""
        return build(self.settings, self.listener)

    def run(self, job: str, partition: str, assets: Sequence[str], hear: Hear) -> bool:
        """As `Runner.run`."""
        run_id = str(uuid4())
        self.instance.add_event_listener(run_id, hear)
        with termination_kept():
            result = self.definitions.resolve_job_def(job).execute_in_process(
                run_id=run_id,
                partition_key=partition,
                instance=self.instance,
                asset_selection=[dg.AssetKey(name) for name in assets],
                raise_on_error=False,
                run_config=QUIET,
            )
        return result.success


@dataclass(frozen=True, kw_only=True)
class RoundResult:
    """What was made of a round, what is released, and what is not and why.

    `kept` are tables that were finished and fresh. `state` has the selected stages over all slices of the settings.
    `fates` has every selected dataset, and `empty` why some of them have no rows.
    """

    round: str
    selection: Selection
    tables: tuple[Made, ...]
    released: tuple[Made, ...]
    kept: tuple[Table, ...]
    crashes: tuple[Crash, ...]
    state: Standing
    fates: Mapping[str, Fate]
    empty: Mapping[str, str]
    seconds: float
    log: Path

    def having(self, fate: Fate) -> list[str]:
        """The datasets that met a fate."""
        return [name for name, own in self.fates.items() if own is fate]

    @property
    def exit_code(self) -> int:
        """0 if everything that was asked for is there, 1 after a crash, 2 if a check blocks a dataset."""
        if self.crashes or Fate.UNFINISHED in self.fates.values():
            return CRASHED
        return BLOCKED if Fate.BLOCKED in self.fates.values() else 0


def log_of(settings: Settings, round_key: str) -> Path:
    """A new file for the events of a round, among the logs of the data root."""
    name = f"round-{round_key}-{time.strftime('%Y%m%d-%H%M%S')}.log"
    return Store(data_root=settings.data_root).log_folder / name


def free_round(settings: Settings, instance: dg.DagsterInstance) -> str:
    """The name of a new round: the day, in the time zone of the settings, and a number if it is taken."""
    day = datetime.now(ZoneInfo(settings.rounds.timezone)).date()
    return new_round(day, known_rounds(instance, Store(data_root=settings.data_root)))


@dataclass(kw_only=True)
class RoundMaker:
    """Makes rounds of some settings."""

    settings: Settings
    instance: dg.DagsterInstance
    runner: Runner
    listener: Listener = NOBODY

    def make(self, round_key: str, selection: Selection, *, log: Path) -> RoundResult:
        """Make the selected slices, and release each selected dataset that no check and no crash keeps back.

        Then train and evaluate the next policy, if that is selected and every selected dataset is released. Tables that
        are finished and fresh are kept. No further slice is made after a crash. Every event is appended to `log`.
        Raises StorageError, and EngineError if a round goes on whose policy is not known.
        """
        began = time.monotonic()
        store = Store(data_root=self.settings.data_root)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8", buffering=1) as file:
            stored = StoredRound(settings=self.settings, store=store, key=round_key)
            making = _Making(maker=self, stored=stored, selection=selection, write=file.write)
            self.instance.add_dynamic_partitions(str(ROUNDS.name), [round_key])
            making.make_slices()
            state = standing(store, stored.cells, selection.stages)
            fates = _fates(selection, state, {crash.table.asset for crash in making.crashes})
            ready = [name for name, fate in fates.items() if fate is Fate.READY]
            empty = {name: stored.why_empty(name) for name in ready if not stored.rows(name).height}
            if selection.releases:
                making.release([name for name in ready if name not in empty])
            if selection.policy and len(ready) == len(selection.datasets) and not empty and not making.crashes:
                making.train()
        return RoundResult(
            round=round_key,
            selection=selection,
            tables=tuple(made for made in making.made if made.version is None),
            released=tuple(made for made in making.made if made.version is not None),
            kept=tuple(making.kept),
            crashes=tuple(making.crashes),
            state=state,
            fates=fates,
            empty=empty,
            seconds=time.monotonic() - began,
            log=log,
        )


@dataclass(kw_only=True)
class _Making:
    """One call of `make`: the tables that were made so far, and what crashed."""

    maker: RoundMaker
    stored: StoredRound
    selection: Selection
    write: Callable[[str], object]
    made: list[Made] = field(default_factory=list)
    kept: list[Table] = field(default_factory=list)
    crashes: list[Crash] = field(default_factory=list)

    def make_slices(self) -> None:
        """Run the stages of each selected slice, until something crashes."""
        stages, cells = (
            self.selection.stages,
            [cell for cell in self.stored.cells if cell.slice in self.selection.slices],
        )
        self.maker.listener.planned([Table(stage, cell.slice) for cell in cells for stage in stages])
        for cell in cells:
            due = self._due(cell)
            if not due:
                continue
            key = dg.MultiPartitionKey({"round": cell.round, "slice": cell.slice})
            begun = self._run("slice", key, due, cell)
            for stage in due:
                if stage not in begun:
                    self.maker.listener.skipped(Table(stage, cell.slice), "not made: what it reads is not there")
            if self.crashes:
                return

    def _due(self, cell: Cell) -> list[str]:
        """The stages of a slice to make: those whose tables are not finished, or not fresh."""
        settings, store = self.maker.settings, self.stored.store
        stages = [stage for stage in STAGES if stage.name in self.selection.stages]
        has_tables = any(read_scorecard(store, stage.name, cell) for stage in stages)
        kept: list[str] = []
        if has_tables and not self.selection.again:
            policy = settings.policy.of_round(store.root, cell.round).identity()
            kept = fresh(stages, settings, store, cell, policy=policy.name)
        for name in kept:
            self.kept.append(Table(name, cell.slice))
            self.maker.listener.skipped(self.kept[-1], KEPT)
        return [stage.name for stage in stages if stage.name not in kept]

    def release(self, datasets: Sequence[str]) -> None:
        """Release some datasets of the round, if any."""
        assets = [f"{name}_release" for name in datasets]
        if assets:
            self.maker.listener.planned([Table(asset, self.stored.key) for asset in assets])
            self._run("release", self.stored.key, assets, None)

    def train(self) -> None:
        """Train the next policy on the releases of the round, and evaluate it."""
        self.maker.listener.planned([Table(asset, self.stored.key) for asset in POLICY_ASSETS])
        self._run(POLICY_JOB, self.stored.key, POLICY_ASSETS, None)

    def _run(self, job: str, partition: str, assets: Sequence[str], cell: Cell | None) -> Collection[str]:
        """Run some assets and say which of them were begun."""
        feed = Feed(
            self.maker.listener,
            partition=self.stored.key if cell is None else cell.slice,
            cell=cell,
            store=self.stored.store,
            write=self.write,
        )
        if not self.maker.runner.run(job, partition, assets, feed) and not feed.begun:
            feed.crash(Table(job, feed.partition), "its run failed before its first table; the log says why")
        self.made += feed.made
        self.crashes += feed.crashes
        return feed.begun


def _fates(selection: Selection, state: Standing, crashed: Collection[str]) -> dict[str, Fate]:
    """What became of each selected dataset."""
    fates = {}
    for dataset in selection.datasets:
        own = state.of(dataset.stages)
        if own.failed:
            fates[dataset.name] = Fate.BLOCKED
        elif any(stage in crashed for stage in dataset.stages) or any(t.slice in selection.slices for t in own.unmade):
            fates[dataset.name] = Fate.UNFINISHED
        else:
            fates[dataset.name] = Fate.WAITING if own.unmade else Fate.READY
    return fates
