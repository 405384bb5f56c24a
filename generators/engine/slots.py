"""A fair semaphore: units are granted in the order of the requests, several at a time.

A request for many units is served before later requests for few.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Slots:
    """`capacity` units; a cancelled waiter or holder returns what it had."""

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, got {capacity}")
        self.capacity = capacity
        self._free = capacity
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def taken(self) -> int:
        """Units in use."""
        return self.capacity - self._free

    @asynccontextmanager
    async def hold(self, units: int) -> AsyncIterator[None]:
        """Wait for `units` and hold them for the `async with` block."""
        await self._take(units)
        try:
            yield
        finally:
            self._release(units)

    async def _take(self, units: int) -> None:
        if not 1 <= units <= self.capacity:
            raise ValueError(f"units must be from 1 to the capacity of {self.capacity}, got {units}")
        if not self._queue and units <= self._free:
            self._free -= units
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((units, granted))
        try:
            await granted
        except asyncio.CancelledError:
            was_granted = granted.done() and not granted.cancelled()
            self._release(units if was_granted else 0)
            raise

    def _release(self, units: int) -> None:
        self._free += units
        while self._queue:
            units_wanted, granted = self._queue[0]
            if not granted.cancelled():
                if units_wanted > self._free:
                    return
                self._free -= units_wanted
                granted.set_result(None)
            self._queue.popleft()
