"""Run one recipe over many items concurrently, with a bounded window of open items; failures are set aside.

The window keeps the engine's batch full to the end of the work without holding every item in memory. Results come
back in the order of the items, whichever finished first.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from generators.engine.errors import RequestRefused
from generators.sampling.tasks import gather

Item = TypeVar("Item")
Row = TypeVar("Row")


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


async def run_recipe(
    recipe: Callable[[Item], Awaitable[Row]],
    items: Sequence[Item],
    *,
    window: int,
    watch: Watch | None = None,
    on_done: Callable[[int, int], None] = lambda done, total: None,
) -> Outcome[Item, Row]:
    """Run `recipe` over `items`, at most `window` at a time.

    A request that the engine refuses fails only its item; any other error stops the run and is raised unchanged.
    `watch` hears which items begin and finish, by their position; `on_done(done, total)` is called after each item.
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}")
    if watch is not None:
        watch.expect(len(items), window=window)
    results: list[Row | Failure[Item] | None] = [None] * len(items)
    positions = iter(range(len(items)))
    done = 0

    async def work() -> None:
        nonlocal done
        for position in positions:
            if watch is not None:
                watch.begin(position)
            try:
                results[position] = await recipe(items[position])
            except RequestRefused as refused:
                results[position] = Failure(items[position], str(refused))
            done += 1
            if watch is not None:
                watch.finish(position)
            on_done(done, len(items))

    await gather(work() for _ in range(min(window, len(items))))
    rows = tuple(result for result in results if result is not None and not isinstance(result, Failure))
    return Outcome(rows, tuple(result for result in results if isinstance(result, Failure)))
