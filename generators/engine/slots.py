"""A fair semaphore: units are granted by rank, and within a rank in the order of the requests, several at a time.

A request for many units is served before later requests of its rank for few.
"""

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count


class Slots:
    """`capacity` units; a cancelled waiter or holder returns what it had. A lower rank goes first."""

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, got {capacity}")
        self.capacity = capacity
        self.wanted = 0
        self._free = capacity
        self._arrivals = count()
        self._queue: list[tuple[int, int, int, asyncio.Future[None]]] = []

    @property
    def taken(self) -> int:
        """Units in use."""
        return self.capacity - self._free

    @property
    def spare(self) -> int:
        """How many more units could be in use at once, if all that is wanted now were."""
        return max(0, self.capacity - self.wanted)

    @asynccontextmanager
    async def hold(self, units: int, *, rank: int = 0) -> AsyncIterator[None]:
        """Wait for `units` and hold them for the `async with` block."""
        await self._take(units, rank)
        try:
            yield
        finally:
            self._release(units)

    async def _take(self, units: int, rank: int) -> None:
        if not 1 <= units <= self.capacity:
            raise ValueError(f"units must be from 1 to the capacity of {self.capacity}, got {units}")
        if not self._queue and units <= self._free:
            self._free -= units
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (rank, next(self._arrivals), units, granted))
        self._release(0)  # a better rank may fit where a wide request has to wait
        try:
            await granted
        except asyncio.CancelledError:
            was_granted = granted.done() and not granted.cancelled()
            self._release(units if was_granted else 0)
            raise

    def _release(self, units: int) -> None:
        self._free += units
        while self._queue:
            _, _, units_wanted, granted = self._queue[0]
            if not granted.cancelled():
                if units_wanted > self._free:
                    return
                self._free -= units_wanted
                granted.set_result(None)
            heapq.heappop(self._queue)
