"""A round on a terminal: a live panel with a row for each asset, and warnings and failures above it."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table as Grid
from rich.text import Text

from dagster_project.running.listener import Listener, Made, Table
from generators.sampling.progress import Snapshot

HEADS = ("asset", "slices", "done", "rows", "yield", "tokens/s", "left", "state")
STYLES = {"done": "green", "blocked": "yellow", "failed": "red", "waiting": "dim"}


@dataclass(slots=True)
class Row:
    """What the panel knows of one asset, over all its slices."""

    planned: int = 0
    done: int = 0
    rows: int = 0
    yields: list[float] = field(default_factory=list)
    state: str = "waiting"
    snapshot: Snapshot | None = None
    heard: float = 0.0
    pace: float = 0.0

    def cells(self) -> tuple[str, ...]:
        """The cells after the asset's name."""
        now = self.snapshot
        left = None
        if now is not None and now.seconds_left is not None:
            left = max(0.0, now.seconds_left - (time.monotonic() - self.heard))
        return (
            f"{self.done}/{self.planned}",
            f"{now.done}/{now.total} {now.unit}" if now else "",
            f"{self.rows:,}" if self.done else "",
            f"{sum(self.yields) / len(self.yields):.2f}" if self.yields else "",
            f"{now.tokens_per_second if now else self.pace:,.0f}" if now or self.pace else "",
            "" if left is None else duration(left),
            self.state,
        )


class Panel(Listener):
    """Keeps a row for each asset, and prints what matters above them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._rows: dict[str, Row] = {}
        self._began = time.monotonic()

    def __rich__(self) -> RenderableType:
        """The panel as it is now."""
        grid = Grid(*HEADS, title=f"{duration(time.monotonic() - self._began)} so far", title_justify="left", box=None)
        with self._lock:
            for asset, row in self._rows.items():
                *cells, state = row.cells()
                grid.add_row(asset, *cells, Text(state, style=STYLES.get(state, ""), overflow="ellipsis", no_wrap=True))
        return grid

    def planned(self, tables: Sequence[Table]) -> None:
        with self._lock:
            for table in tables:
                self._rows.setdefault(table.asset, Row()).planned += 1

    def skipped(self, table: Table, why: str) -> None:
        self._state(table, why)

    def started(self, table: Table) -> None:
        self._state(table, f"making {table.partition}")

    def progressed(self, table: Table, snapshot: Snapshot) -> None:
        with self._lock:
            row = self._row(table)
            row.snapshot, row.heard, row.state = snapshot, time.monotonic(), f"making {table.partition}"

    def said(self, table: Table, line: str) -> None:
        self._state(table, line)

    def warned(self, table: Table, line: str) -> None:
        self._print(f"warning: {table}: {line}", "yellow")

    def finished(self, made: Made) -> None:
        with self._lock:
            row = self._row(made.table)
            row.done += 1
            row.rows += made.rows
            row.pace = made.tokens_per_second
            row.snapshot = None
            row.state = "blocked" if made.is_blocked else "done"
            if made.yielded is not None:
                row.yields.append(made.yielded)

    def failed(self, table: Table, why: str) -> None:
        self._state(table, "failed")
        self._print(f"failed: {table}: {why}", "red")

    def _row(self, table: Table) -> Row:
        return self._rows.setdefault(table.asset, Row())

    def _state(self, table: Table, state: str) -> None:
        with self._lock:
            self._row(table).state = state

    def _print(self, line: str, style: str) -> None:
        self._console.print(Text(line, style=style))


@contextmanager
def live(terminal: TextIO) -> Iterator[Panel]:
    """A panel at the foot of a terminal, redrawn twice a second; it stays there at the end."""
    console = Console(file=terminal)
    panel = Panel(console)
    with Live(panel, console=console, refresh_per_second=2, redirect_stdout=False, redirect_stderr=False):
        yield panel


def duration(seconds: float) -> str:
    """A time as a person says it: `42 s`, `3 min 5 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"
