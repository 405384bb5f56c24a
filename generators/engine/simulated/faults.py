"""Faults on demand: make a simulated engine slow, stalled or dead, to test watchdogs.

All calls must come from one event loop.
"""

import asyncio

from generators.engine.errors import EngineUnavailable


class Faults:
    """Whether an engine answers; every request passes through `hold` first."""

    def __init__(self) -> None:
        self._stalled = False
        self._dead = False
        self._served_before_death: int | None = None
        self._delayed: set[asyncio.Future[None]] = set()
        self._stalled_requests: set[asyncio.Future[None]] = set()

    @property
    def is_dead(self) -> bool:
        return self._dead

    def stall(self) -> None:
        """Answer no request until `resume`, including those in flight; requests are still accepted."""
        self._stalled = True

    def resume(self) -> None:
        """Answer the requests held since `stall`."""
        self._stalled = False
        for future in self._stalled_requests:
            _finish(future)

    def die(self, *, after_sequences: int = 0) -> None:
        """Fail every request, in flight or later, with EngineUnavailable once `after_sequences` more are accepted."""
        if after_sequences:
            self._served_before_death = after_sequences
            return
        self._dead = True
        self._stalled = False
        for future in self._delayed | self._stalled_requests:
            if not future.done():
                future.set_exception(EngineUnavailable("the simulated engine died while it held this request"))

    def revive(self) -> None:
        """Accept requests again; those that failed stay failed."""
        self._dead = False
        self._served_before_death = None

    def accept(self, sequences: int) -> None:
        """Count `sequences` towards a scheduled death; raises EngineUnavailable once dead."""
        if self._served_before_death is not None:
            self._served_before_death -= sequences
            if self._served_before_death < 0:
                self.die()
        if self._dead:
            raise EngineUnavailable("the simulated engine is dead; revive() brings it back")

    async def hold(self, seconds: float) -> None:
        """Return when the answer is due; raises EngineUnavailable if the engine dies before that."""
        if seconds > 0:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[None] = loop.create_future()
            timer = loop.call_later(seconds, _finish, future)
            try:
                await _wait_among(future, self._delayed)
            finally:
                timer.cancel()
        while self._stalled:
            await _wait_among(asyncio.get_running_loop().create_future(), self._stalled_requests)


async def _wait_among(future: asyncio.Future[None], waiting: set[asyncio.Future[None]]) -> None:
    waiting.add(future)
    try:
        await future
    finally:
        waiting.discard(future)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
