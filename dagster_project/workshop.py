"""Where the stages of a run are made: one event loop, so that stages which do not wait for each other fill one engine.

Dagster takes the assets of a run one by one. When the stage whose turn it is opens the engine, the workshop begins the
others that could be made by then, and keeps their outputs until their turns come. They come after it wherever both want
the engine.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator
from typing import Any, TypeVar

import dagster as dg

from dagster_project.order import SliceOrder
from generators.stage import Output, Stage

T = TypeVar("T")


class Workshop:
    """The event loop of a run, the stages that were begun before their turns, and those that are finished."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None
        self._begun: dict[str, tuple[SliceOrder, asyncio.Task[Output]]] = {}
        self._taken: set[str] = set()
        self._finished: set[str] = set()
        self._current: asyncio.Task[Any] | None = None
        self._interruption: BaseException | None = None

    def close(self) -> None:
        """End every stage that was begun, and delete what it has written; what it drew is in the ledger."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None
        for order, _ in self._begun.values():
            order.discard()
        self._begun.clear()

    def begun(self, stage: str) -> SliceOrder | None:
        """The order of a stage that was begun before its turn."""
        return self._begun[stage][0] if stage in self._begun else None

    def make(self, order: SliceOrder) -> Output:
        """The output of a stage whose turn has come; raises what the stage raises.

        A stage that loads a model of its own waits until nothing else is being drawn, for the two may share a GPU.
        """
        self._taken.add(order.stage.name)
        if order.stage.loads_a_model:
            self._run(self._rest())
        known = self._begun.pop(order.stage.name, None)
        return self._run(known[1] if known is not None and known[0] is order else order.made())

    def finish(self, stage: str) -> None:
        """Say that the table of a stage is written, and that no check keeps others from using it."""
        self._finished.add(stage)

    def begin_others(self, stages: Collection[Stage[Any]], order: Callable[[Stage[Any]], SliceOrder | None]) -> None:
        """Begin each of the run's stages whose turn is still to come and whose needs are finished, if it only draws.

        `order` gives the order of a stage, None if nothing is to be drawn for it. To be called in the event loop.
        """
        names = {stage.name for stage in stages}
        known = self._taken | self._finished | self._begun.keys()
        for stage in stages:
            is_due = stage.name not in known and names & set(stage.needs) <= self._finished
            if is_due and stage.samples and not stage.loads_a_model and (ordered := order(stage)) is not None:
                task = asyncio.get_running_loop().create_task(ordered.made())
                task.add_done_callback(self._pass_interruption_on)
                self._begun[stage.name] = ordered, task

    async def _rest(self) -> None:
        """Wait for everything that was begun; what goes wrong is raised when it is taken."""
        await asyncio.gather(*(task for _, task in self._begun.values()), return_exceptions=True)

    def _pass_interruption_on(self, begun: asyncio.Task[Output]) -> None:
        """End the stage whose turn it is too if a signal, which is raised wherever it strikes, has struck another."""
        error = None if begun.cancelled() else begun.exception()
        if error is not None and not isinstance(error, Exception):
            self._interruption = error
            if self._current is not None:
                self._current.cancel()

    def _run(self, work: Coroutine[Any, Any, T] | asyncio.Task[T]) -> T:
        """Run the loop until the work is done; an interruption ends the work before it is raised."""
        self._runner = self._runner or asyncio.Runner()
        task = work if isinstance(work, asyncio.Task) else self._runner.get_loop().create_task(work)
        self._current = task
        try:
            return self._runner.run(_result(task))
        except BaseException:
            if not task.done():
                task.cancel()
                self._runner.run(_ended(task))
            if self._interruption is not None:
                raise self._interruption from None
            raise
        finally:
            self._current = None


@dg.resource
def workshop() -> Iterator[Workshop]:
    """Lend a workshop to one run, and end what was begun and never taken."""
    opened = Workshop()
    try:
        yield opened
    finally:
        opened.close()


async def _result(task: asyncio.Task[T]) -> T:
    return await task


async def _ended(task: asyncio.Task[Any]) -> None:
    await asyncio.wait([task])
