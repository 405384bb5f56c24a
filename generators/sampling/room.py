"""Room for what takes memory while it is open: pieces of work wait until there is room for their size."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """Room for pieces of work of the size `most` together, in their order; a larger one is let in alone."""

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError(f"most must be at least 1, got {most}")
        self._most = most
        self._taken = 0
        self._turn = asyncio.Lock()
        self._left = asyncio.Condition()

    @asynccontextmanager
    async def taken(self, size: int) -> AsyncIterator[None]:
        """Hold room for a piece of work of this size."""
        async with self._turn, self._left:
            await self._left.wait_for(lambda: not self._taken or self._taken + size <= self._most)
            self._taken += size
        try:
            yield
        finally:
            async with self._left:
                self._taken -= size
                self._left.notify_all()
