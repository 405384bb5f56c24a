"""A pool of in-flight sequences over any engine, with retries of failures that may pass.

The pools of stages that are made at the same time share their slots, so that together they fill the engine once.
"""

import asyncio
import random
from dataclasses import dataclass, replace

from generators.engine.errors import EngineBusy, EngineLost, EngineUnavailable
from generators.engine.protocol import Engine, Generation, Request, Usage
from generators.engine.slots import Slots


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettings:
    """How often an unavailable engine is tried, and the pause between tries: doubled each time, then jittered.

    A busy engine is asked again until it has room or the fleet gives up, with short pauses of its own.
    """

    max_tries: int = 8
    first_wait_s: float = 0.5
    max_wait_s: float = 30.0
    first_busy_wait_s: float = 0.1
    max_busy_wait_s: float = 10.0

    def __post_init__(self) -> None:
        if self.max_tries < 1:
            raise ValueError(f"max_tries must be at least 1, got {self.max_tries}")
        if self.first_wait_s < 0:
            raise ValueError(f"first_wait_s must be at least 0, got {self.first_wait_s}")
        if not 0 < self.first_busy_wait_s <= self.max_busy_wait_s:
            raise ValueError(
                f"first_busy_wait_s must be above 0 and at most max_busy_wait_s ({self.max_busy_wait_s}), "
                f"got {self.first_busy_wait_s}"
            )
        if self.max_wait_s < self.first_wait_s:
            raise ValueError(f"max_wait_s must be at least first_wait_s ({self.first_wait_s}), got {self.max_wait_s}")

    def wait_s(self, failures: int) -> float:
        """Seconds to pause after `failures` failures: the full pause, or down to half of it."""
        return _jittered(self.first_wait_s, self.max_wait_s, failures)

    def busy_wait_s(self, refusals: int, retry_after_s: float | None) -> float:
        """Seconds to pause after `refusals` refusals; at least as long as the server asked for, and a bit more."""
        own = _jittered(self.first_busy_wait_s, self.max_busy_wait_s, refusals)
        return own if retry_after_s is None else max(own, retry_after_s * random.uniform(1.0, 1.25))


def _jittered(first_s: float, longest_s: float, failures: int) -> float:
    # The exponent is capped only to keep the float finite; `longest_s` is the actual bound.
    return min(longest_s, first_s * 2.0 ** min(failures - 1, 60)) * random.uniform(0.5, 1.0)


class Pool:
    """An engine that keeps at most as many sequences in flight in another engine as there are `slots`.

    Pools may share their slots: the one with the lowest `rank` is served first. Within a rank it is first come, first
    served, so later narrow requests do not overtake a wide one. A request wider than the capacity is cut into runs of
    consecutive seeds. The gauges count this pool's sequences: `in_flight` in the engine, `waiting` for a slot or for
    the next try, `finished` so far. `usage` sums the tokens of finished sequences, `retries` counts repeated calls.
    """

    def __init__(self, engine: Engine, slots: Slots, *, settings: RetrySettings, rank: int = 0) -> None:
        self._engine = engine
        self._settings = settings
        self._slots = slots
        self.rank = rank
        self._open = 0
        self.in_flight = 0
        self.finished = 0
        self.retries = 0
        self.usage = Usage()

    @property
    def capacity(self) -> int:
        return self._slots.capacity

    @property
    def spare(self) -> int:
        """How many more sequences could be in flight at once, beside those of the pools that share the slots."""
        return self._slots.spare

    @property
    def waiting(self) -> int:
        return self._open - self.in_flight

    async def generate(self, request: Request) -> Generation:
        """Continue `request.prefix` as soon as there is room.

        Raises EngineLost if the engine was unavailable in every try; other errors pass through at once. A busy engine
        is no failure: the fleet ends the run if it stays so.
        """
        self._open += request.n
        self._slots.wanted += request.n
        try:
            if request.n <= self.capacity:
                return await self._with_retries(request)
            return await self._in_runs(request)
        finally:
            self._open -= request.n
            self._slots.wanted -= request.n

    async def _in_runs(self, request: Request) -> Generation:
        # Runs of a quarter of the capacity: one as wide as the pool would have to wait until the pool has drained.
        width = max(1, self.capacity // 4)
        runs = [
            replace(request, seed=request.seed + first, n=min(width, request.n - first))
            for first in range(0, request.n, width)
        ]
        tasks = [asyncio.ensure_future(self._with_retries(run)) for run in runs]
        try:
            parts = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return Generation(
            completions=tuple(completion for part in parts for completion in part.completions),
            usage=sum((part.usage for part in parts), Usage()),
        )

    async def _with_retries(self, request: Request) -> Generation:
        failures = refusals = 0
        while True:
            try:
                return await self._try(request)
            except EngineBusy as error:
                refusals += 1
                wait_s = self._settings.busy_wait_s(refusals, error.retry_after_s)
            except EngineUnavailable as error:
                failures += 1
                if failures >= self._settings.max_tries:
                    raise EngineLost(f"the engine failed {failures} times in a row on one request: {error}") from error
                wait_s = self._settings.wait_s(failures)
            self.retries += 1
            await asyncio.sleep(wait_s)

    async def _try(self, request: Request) -> Generation:
        async with self._slots.hold(request.n, rank=self.rank):
            self.in_flight += request.n
            try:
                generation = await self._engine.generate(request)
            finally:
                self.in_flight -= request.n
        self.finished += request.n
        self.usage += generation.usage
        return generation
