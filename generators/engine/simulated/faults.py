"""Makes a simulated engine slow, deaf or dead on demand, so that watchdogs can be tried.

Knows nothing of tokens. All calls belong to one event loop.
"""

import asyncio

from generators.engine.errors import EngineUnavailable


class Faults:
    """Whether an engine answers; requests pass through `hold` before they are answered."""

    def __init__(self) -> None:
        self._stalled = False
        self._dead = False
        self._served_before_death: int | None = None
        self._asleep: set[asyncio.Future[None]] = set()
        self._held: set[asyncio.Future[None]] = set()

    @property
    def is_dead(self) -> bool:
        return self._dead

    def stall(self) -> None:
        """Requests are accepted and not answered, those in flight included, until `resume`."""
        self._stalled = True

    def resume(self) -> None:
        """Answers what waited since `stall`."""
        self._stalled = False
        for future in self._held:
            _finish(future)

    def die(self, *, after_sequences: int = 0) -> None:
        """Every request in flight or to come fails with EngineUnavailable, once `after_sequences` more are accepted."""
        if after_sequences:
            self._served_before_death = after_sequences
            return
        self._dead = True
        self._stalled = False
        for future in self._asleep | self._held:
            if not future.done():
                future.set_exception(EngineUnavailable("the simulated engine died while it held this request"))

    def revive(self) -> None:
        """Takes requests again; those that failed stay failed."""
        self._dead = False
        self._served_before_death = None

    def accept(self, sequences: int) -> None:
        """Counts towards a death that was set for later; raises EngineUnavailable when dead."""
        if self._served_before_death is not None:
            self._served_before_death -= sequences
            if self._served_before_death < 0:
                self.die()
        if self._dead:
            raise EngineUnavailable("the simulated engine is dead; revive() brings it back")

    async def hold(self, seconds: float) -> None:
        """Returns when the answer is due; raises EngineUnavailable when the engine dies before."""
        if seconds > 0:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[None] = loop.create_future()
            timer = loop.call_later(seconds, _finish, future)
            try:
                await _stay(future, self._asleep)
            finally:
                timer.cancel()
        while self._stalled:
            await _stay(asyncio.get_running_loop().create_future(), self._held)


async def _stay(future: asyncio.Future[None], waiting: set[asyncio.Future[None]]) -> None:
    waiting.add(future)
    try:
        await future
    finally:
        waiting.discard(future)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
