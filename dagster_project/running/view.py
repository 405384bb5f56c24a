"""Chooses how a round is shown while it is made: a panel on a terminal, a line every ten seconds elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster_project.running.lines import Lines, ticking
from dagster_project.running.listener import Listener
from dagster_project.running.panel import live
from dagster_project.running.terminal import to_ourselves


@contextmanager
def shown(log: Path) -> Iterator[Listener]:
    """A listener that shows a round on standard output; what libraries print goes to `log`."""
    with to_ourselves(log) as terminal:
        showing = live(terminal) if terminal.isatty() else ticking(Lines(terminal.write))
        with showing as listener:
            yield listener
