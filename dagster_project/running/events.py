"""Turns the events of one run, of this process or read from Dagster's event log, into what a listener hears."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dagster as dg

from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from dagster_project.running.listener import Listener, Made, Table
from dagster_project.scorecard import read_scorecard
from generators.sampling.progress import Snapshot
from releases.errors import NothingToRelease

Write = Callable[[str], Any]

CHECKS_FAILED = "DagsterAssetCheckFailedError"
INTERRUPTED = "DagsterExecutionInterruptedError"
FAILURE = "dagster._core.definitions.events.Failure: "


@dataclass(frozen=True, slots=True)
class Crash:
    """A table that could not be made, or a run that ended before its tables, and why in one sentence."""

    table: Table
    why: str


class Feed:
    """Hears the events of the run of one slice, or of the releases of a round, and keeps what became of its tables.

    Every event is written to the log in full. `cell` is the slice of the run, None for a run of releases.
    """

    def __init__(self, listener: Listener, *, partition: str, cell: Cell | None, store: Store, write: Write) -> None:
        self.made: list[Made] = []
        self.crashes: list[Crash] = []
        self._listener = listener
        self.partition = partition
        self._cell = cell
        self._store = store
        self._write = write
        self._started: dict[str, float] = {}
        self._metadata: dict[str, dict[str, Any]] = {}

    def __call__(self, entry: dg.EventLogEntry) -> None:
        """Hear one event."""
        event = entry.dagster_event
        self._write(_as_text(entry))
        if entry.step_key is None:
            return
        table = Table(entry.step_key, self.partition)
        if event is None:
            self._hear_line(table, entry)
        elif event.event_type == dg.DagsterEventType.STEP_START:
            self._started[table.asset] = entry.timestamp
            self._listener.started(table)
        elif event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            metadata = event.step_materialization_data.materialization.metadata
            self._metadata[table.asset] = {name: value.value for name, value in metadata.items()}
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if not check.passed:
                self._listener.warned(table, check.description or check.check_name)
        elif event.event_type == dg.DagsterEventType.STEP_SUCCESS:
            self._finish(table, entry.timestamp, is_blocked=False)
        elif event.event_type == dg.DagsterEventType.STEP_FAILURE:
            self._fail(table, event, entry.timestamp)

    def crash(self, table: Table, why: str) -> None:
        """Keep why a table could not be made."""
        self.crashes.append(Crash(table, why))
        self._listener.failed(table, why)

    @property
    def begun(self) -> Collection[str]:
        """The assets that work began on."""
        return self._started.keys()

    def _hear_line(self, table: Table, entry: dg.EventLogEntry) -> None:
        line = entry.user_message.removeprefix(f"{table.asset}: ")
        snapshot = Snapshot.parse(line)
        if snapshot is not None:
            self._listener.progressed(table, snapshot)
        elif int(entry.level) < logging.WARNING:
            self._listener.said(table, line)
        elif table.asset in self._started:  # otherwise Dagster says that what it needs is missing
            self._listener.warned(table, line)

    def _fail(self, table: Table, event: dg.DagsterEvent, timestamp: float) -> None:
        error = event.step_failure_data.error
        if error and error.cls_name == CHECKS_FAILED:
            self._finish(table, timestamp, is_blocked=True)
        elif had_no_rows(event):
            self._listener.skipped(table, sentence(event))
        else:
            self.crash(table, sentence(event))

    def _finish(self, table: Table, timestamp: float, *, is_blocked: bool) -> None:
        metadata = self._metadata.get(table.asset, {})
        card = None if self._cell is None else read_scorecard(self._store, table.asset, self._cell)
        made = Made(
            table=table,
            rows=metadata["dagster/row_count"],
            seconds=timestamp - self._started[table.asset],
            path=str(metadata["dagster/uri"]),
            yielded=None if card is None else card.figures.get("yield"),
            rollouts_drawn=metadata.get("rollouts_drawn", 0),
            rollouts_from_ledger=metadata.get("rollouts_from_ledger", 0),
            tokens=metadata.get("tokens_generated", 0),
            tokens_per_second=metadata.get("tokens_per_second", 0.0),
            version=metadata.get("version"),
            hub=metadata.get("hub"),
            is_new=metadata.get("is_new", True),
            is_blocked=is_blocked,
        )
        self.made.append(made)
        self._listener.finished(made)


def sentence(failure: dg.DagsterEvent) -> str:
    """The sentence of a failure; the message of any other exception as Python prints it."""
    error = failure.step_failure_data.error
    if error is None:
        return "see the log"
    if error.cls_name == INTERRUPTED:
        return "it was interrupted"
    raised = error if error.message.startswith(FAILURE) else error.cause or error
    return raised.message.removeprefix(FAILURE).strip()


def had_no_rows(failure: dg.DagsterEvent) -> bool:
    """Whether a step failed only because there was no row to release; a small policy may yield none."""
    error = failure.step_failure_data.error
    return bool(error and error.cause and error.cause.cls_name == NothingToRelease.__name__)


def _as_text(entry: dg.EventLogEntry) -> str:
    """An event as lines of a log file, with the stack of an error."""
    event = entry.dagster_event
    when = datetime.fromtimestamp(entry.timestamp).isoformat(sep=" ", timespec="seconds")
    message = entry.user_message or (event.message if event else "") or ""
    error = event.step_failure_data.error if event and event.is_step_failure else entry.error_info
    stack = f"\n{error.to_string()}" if error else ""
    return f"{when} {logging.getLevelName(int(entry.level))} {entry.step_key or '-'} {message}{stack}\n"
