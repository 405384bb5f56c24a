"""Run one recipe over many items concurrently, with a bounded window of open items; failures are set aside.

The window keeps the engine's batch full to the end of the work without holding every item in memory. Results come
back in the order of the items, whichever finished first.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from generators.engine.errors import RequestRefused
from generators.sampling.tasks import gather

Item = TypeVar("Item")
Row = TypeVar("Row")
AHEAD = 8  # windows: an item that takes eight times as long as the others does not hold them back


class Watch(Protocol):
    """Hears how the items of a run come along."""

    def expect(self, total: int, *, window: int) -> None:
        """`total` items follow, at most `window` at a time."""
        ...

    def begin(self, unit: int) -> None:
        """Work on an item begins."""
        ...

    def finish(self, unit: int) -> None:
        """An item has a row, or failed."""
        ...


@dataclass(frozen=True, slots=True)
class Failure(Generic[Item]):
    """An item without a row, and the reason in one sentence."""

    item: Item
    message: str


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Item, Row]):
    """Rows and failures, each in the order of their items."""

    rows: tuple[Row, ...]
    failures: tuple[Failure[Item], ...]


@dataclass(slots=True)
class InOrder(Generic[Item, Row]):
    """Hands finished items on in their order, and makes those wait that are too far ahead of the first unfinished one.

    `take` gets every row and failure once. Items that are at least `most_ahead` places ahead do not begin.
    """

    take: Callable[[Row | Failure[Item]], None]
    most_ahead: int
    _next: int = 0
    _early: dict[int, Row | Failure[Item]] = field(default_factory=dict)
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def room(self, position: int) -> None:
        """Wait until the item at `position` may begin."""
        async with self._moved:
            await self._moved.wait_for(lambda: position < self._next + self.most_ahead)

    async def finish(self, position: int, result: Row | Failure[Item]) -> None:
        """Hand on what is now in order."""
        self._early[position] = result
        if position != self._next:
            return
        while self._next in self._early:
            self.take(self._early.pop(self._next))
            self._next += 1
        async with self._moved:
            self._moved.notify_all()


async def run_recipe(
    recipe: Callable[[Item], Awaitable[Row]],
    items: Sequence[Item],
    *,
    window: int,
    watch: Watch | None = None,
    on_done: Callable[[int, int], None] = lambda done, total: None,
) -> Outcome[Item, Row]:
    """The rows and failures of `each_in_order`, all in memory."""
    rows: list[Row] = []
    failures: list[Failure[Item]] = []

    def take(result: Row | Failure[Item]) -> None:
        if isinstance(result, Failure):
            failures.append(result)
        else:
            rows.append(result)

    most_ahead = max(len(items), window)
    await each_in_order(recipe, items, take=take, window=window, most_ahead=most_ahead, watch=watch, on_done=on_done)
    return Outcome(tuple(rows), tuple(failures))


async def each_in_order(
    recipe: Callable[[Item], Awaitable[Row]],
    items: Sequence[Item],
    *,
    take: Callable[[Row | Failure[Item]], None],
    window: int,
    most_ahead: int | None = None,
    watch: Watch | None = None,
    on_done: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Run `recipe` over `items`, at most `window` at a time; `take` gets each row or failure in the order of the items.

    No item begins that is `most_ahead` places or more ahead of the first unfinished one, by default eight windows. A
    request that the engine refuses fails only its item; any other error stops the run and is raised unchanged.
    `watch` hears which items begin and finish, by their position; `on_done(done, total)` is called after each item.
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}")
    if watch is not None:
        watch.expect(len(items), window=window)
    order: InOrder[Item, Row] = InOrder(take, max(window, most_ahead or AHEAD * window))
    positions = iter(range(len(items)))
    done = 0

    async def work() -> None:
        nonlocal done
        for position in positions:
            await order.room(position)
            if watch is not None:
                watch.begin(position)
            result: Row | Failure[Item]
            try:
                result = await recipe(items[position])
            except RequestRefused as refused:
                result = Failure(items[position], str(refused))
            await order.finish(position, result)
            done += 1
            if watch is not None:
                watch.finish(position)
            on_done(done, len(items))

    await gather(work() for _ in range(min(window, len(items))))
