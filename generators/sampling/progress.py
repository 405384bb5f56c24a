"""Progress of one asset in the run's log, every few seconds: done, total, tokens per second, time left."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


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

    def update(self, done: int, total: int) -> None:
        """Record that `done` of `total` units are finished."""
        self.done, self.total = done, total

    @property
    def seconds(self) -> float:
        """Seconds since the work began, until it ended."""
        return (time.monotonic() if self.ended is None else self.ended) - self.started

    def line(self) -> str:
        """The progress line for the log."""
        tokens = self.tokens()
        rate = tokens / max(self.seconds, 1e-9)
        left = f", about {self.seconds / self.done * (self.total - self.done):.0f} s left" if self.done else ""
        return (
            f"{self.name}: {self.done} of {self.total} {self.unit}, {tokens:,} tokens generated at {rate:,.0f} a second"
            f"{left}"
        )


@asynccontextmanager
async def reported(progress: Progress, *, every_s: float = 10.0) -> AsyncIterator[Progress]:
    """Log `progress` every `every_s` seconds, and once at the end."""

    async def report() -> None:
        while True:
            await asyncio.sleep(every_s)
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
