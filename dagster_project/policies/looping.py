"""Runs a loop from the command line, round after round, until one of its rules ends it.

    maker = LoopMaker(settings=settings, instance=instance)            # instance: running.home.open_instance()
    while (where := maker.position()).due is not Due.NOTHING:
        result = maker.make(maker.opened(where), listener, log=path)   # a RoundResult; nothing is printed
        if exit_code(result, maker.position()):
            break

What is due follows from the data root, so a loop that was killed anywhere goes on with the same calls.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import dagster as dg

from dagster_project.policies.position import Due, Position, open_round, position, selection_of
from dagster_project.policies.record import RoundPolicy
from dagster_project.resources.store import Store
from dagster_project.running.launching import Launched, Webserver
from dagster_project.running.listener import Listener
from dagster_project.running.panel import duration
from dagster_project.runs import BLOCKED, CRASHED, InProcess, RoundMaker, RoundResult, Runner
from dagster_project.settings.file import Settings, loop_of
from dagster_project.settings.loop import LoopSettings


def with_rounds(settings: Settings, n_rounds: int | None) -> Settings:
    """The settings with another number of rounds of the loop; raises SettingsError without a loop."""
    loop = loop_of(settings)
    return (
        settings
        if n_rounds is None
        else settings.model_copy(update={"loop": loop.model_copy(update={"rounds": n_rounds})})
    )


def exit_code(result: RoundResult, after: Position) -> int:
    """0 if a round of a loop was made to its end, 1 after a crash, 2 if a check or a dataset without rows stops it."""
    if result.exit_code:
        return result.exit_code
    if result.empty:
        return BLOCKED
    return 0 if after.due in (Due.ROUND, Due.NOTHING) else CRASHED


@dataclass(kw_only=True)
class LoopMaker:
    """Makes the rounds of the loop of some settings, in this process or, with `webserver`, in a running Dagster."""

    settings: Settings
    instance: dg.DagsterInstance
    webserver: Webserver | None = None
    _seconds: list[float] = field(default_factory=list, init=False)

    @property
    def loop(self) -> LoopSettings:
        """The section of the loop."""
        return loop_of(self.settings)

    @property
    def store(self) -> Store:
        """The data root."""
        return Store(data_root=self.settings.data_root, ledger_wait_s=self.settings.ledger_wait_s)

    def position(self) -> Position:
        """Where the loop stands; raises SettingsError, EngineError and StorageError."""
        return position(self.settings, self.store)

    def opened(self, where: Position) -> RoundPolicy:
        """The record of the round that something is due for, opened if it is not yet; raises StorageError."""
        return open_round(self.settings, self.store, where) if where.due is Due.ROUND else where.rounds[-1]

    def make(self, record: RoundPolicy, listener: Listener, *, log: Path) -> RoundResult:
        """Make what is missing of a round, its releases, and the next policy with its evaluation.

        Raises as `RoundMaker.make` does, and CannotLaunch.
        """
        began = time.monotonic()
        runner: Runner = InProcess(settings=self.settings, instance=self.instance, listener=listener)
        if self.webserver is not None:
            runner = Launched(settings=self.settings, instance=self.instance, webserver=self.webserver)
        maker = RoundMaker(settings=self.settings, instance=self.instance, runner=runner, listener=listener)
        result = maker.make(record.round, selection_of(self.settings), log=log)
        if not result.kept:  # a round that an earlier call began says nothing about the time of a whole one
            self._seconds.append(time.monotonic() - began)
        return result

    def time_left(self, number: int) -> str:
        """The time to the end, from round `number` on, by the rounds that were made whole here; blank without any."""
        if not self._seconds:
            return ""
        left = fmean(self._seconds) * (self.loop.rounds - number + 1)
        return f"; about {duration(left)} left, if all rounds are made and take as long as those before"
