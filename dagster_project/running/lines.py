"""A round on a pipe: one line every ten seconds, and warnings and failures at once."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dagster_project.running.listener import Listener, Made, Table
from generators.sampling.progress import Snapshot

EVERY_S = 10.0


class Lines(Listener):
    """Prints a line about what is under way and what was finished since the last one, when `tick` is called."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._doing: dict[Table, str] = {}
        self._done: list[str] = []

    def skipped(self, table: Table, why: str) -> None:
        with self._lock:
            self._done.append(f"{table} {why}")

    def started(self, table: Table) -> None:
        with self._lock:
            self._doing[table] = "started"

    def progressed(self, table: Table, snapshot: Snapshot) -> None:
        with self._lock:
            self._doing[table] = str(snapshot)

    def said(self, table: Table, line: str) -> None:
        with self._lock:
            self._doing[table] = line

    def warned(self, table: Table, line: str) -> None:
        self._print(f"warning: {table}: {line}")

    def finished(self, made: Made) -> None:
        with self._lock:
            self._doing.pop(made.table, None)
            self._done.append(f"{made.table} done with {made.rows} rows in {made.seconds:.0f} s")

    def failed(self, table: Table, why: str) -> None:
        with self._lock:
            self._doing.pop(table, None)
        self._print(f"failed: {table}: {why}")

    def tick(self) -> None:
        """Print the line that is due, if there is anything to say."""
        with self._lock:
            done, self._done = self._done, []
            doing = [f"{table}: {line}" for table, line in self._doing.items()]
        if parts := [*done, *doing]:
            self._print("; ".join(parts))

    def _print(self, line: str) -> None:
        self._write(f"{time.strftime('%H:%M:%S')} {line}\n")


@contextmanager
def ticking(lines: Lines, *, every_s: float = EVERY_S) -> Iterator[Lines]:
    """Call `tick` every few seconds from a thread, and once at the end."""
    is_over = threading.Event()

    def tick() -> None:
        while not is_over.wait(every_s):
            lines.tick()

    thread = threading.Thread(target=tick, name="lines", daemon=True)
    thread.start()
    try:
        yield lines
    finally:
        is_over.set()
        thread.join()
        lines.tick()
