"""Progress of one asset in the run's log, every few seconds: done, total, tokens per second, time left."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Self

from generators.sampling.time_left import TimeLeft

_LINE = re.compile(
    r"(?P<done>\d+) of (?P<total>\d+) (?P<unit>.+), (?P<tokens>[\d,]+) tokens generated at (?P<pace>[\d,]+) a second"
    r"(?:, about (?P<left>\d+) s left)?"
)


LOOKS = 10  # for each line of the log


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """How far the work is. `seconds_left` is None while nothing is known about it."""

    unit: str
    done: int
    total: int
    tokens: int
    tokens_per_second: float
    seconds_left: float | None

    def __str__(self) -> str:
        """The line of the log; `parse` reads it back."""
        left = "" if self.seconds_left is None else f", about {self.seconds_left:.0f} s left"
        return (
            f"{self.done} of {self.total} {self.unit}, {self.tokens:,} tokens generated at "
            f"{self.tokens_per_second:,.0f} a second{left}"
        )

    @classmethod
    def parse(cls, line: str) -> Self | None:
        """The snapshot that a line of the log is, None for any other line."""
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        return cls(
            unit=found["unit"],
            done=int(found["done"]),
            total=int(found["total"]),
            tokens=int(found["tokens"].replace(",", "")),
            tokens_per_second=float(found["pace"].replace(",", "")),
            seconds_left=None if found["left"] is None else float(found["left"]),
        )


@dataclass(slots=True)
class Progress:
    """The state of the current work; `tokens` returns how many have been generated so far."""

    name: str
    unit: str
    total: int
    tokens: Callable[[], int]
    say: Callable[[str], None]
    done: int = 0
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    _left: TimeLeft = field(init=False)

    def __post_init__(self) -> None:
        """Watch the tokens from the start."""
        self._left = TimeLeft(tokens=self.tokens)

    def expect(self, total: int, *, window: int) -> None:
        """Work on `total` units follows, on at most `window` at a time."""
        self.done, self.total = 0, total
        self._left.expect(total, window=window)

    def begin(self, unit: Hashable) -> None:
        """Record that work on a unit begins."""
        self._left.begin(unit)

    def finish(self, unit: Hashable) -> None:
        """Record that a unit is finished."""
        self._left.finish(unit)
        self.done += 1

    @property
    def seconds(self) -> float:
        """Seconds since the work began, until it ended."""
        return (time.monotonic() if self.ended is None else self.ended) - self.started

    def snapshot(self) -> Snapshot:
        """How far the work is now."""
        tokens, seconds = self.tokens(), max(self.seconds, 1e-9)
        return Snapshot(
            unit=self.unit,
            done=self.done,
            total=self.total,
            tokens=tokens,
            tokens_per_second=tokens / seconds,
            seconds_left=self._left.seconds(),
        )

    def line(self) -> str:
        """The progress line for the log."""
        return f"{self.name}: {self.snapshot()}"


@asynccontextmanager
async def reported(
    progress: Progress, *, every_s: float = 10.0, hear: Callable[[Snapshot], None] = lambda snapshot: None
) -> AsyncIterator[Progress]:
    """Log `progress` every `every_s` seconds, and once at the end; `hear` gets a snapshot ten times as often."""

    async def report() -> None:
        for second in count(1):
            await asyncio.sleep(every_s / LOOKS)
            hear(progress.snapshot())
            if second % LOOKS == 0:
                progress.say(progress.line())

    task = asyncio.create_task(report())
    try:
        yield progress
        progress.say(progress.line())
    finally:
        progress.ended = time.monotonic()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
