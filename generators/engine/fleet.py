"""One or more workers as a single engine, with a watchdog so that no call waits forever on a dead server.

A call that a failing worker drops raises EngineUnavailable; the pool retries it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Self

from generators.engine.affinity import Affinity, chosen
from generators.engine.client import ModelInfo
from generators.engine.errors import EngineBusy, EngineLost, EngineMisconfigured, EngineUnavailable
from generators.engine.protocol import Generation, Request
from generators.engine.worker import RECOGNISED_WITHIN_S, Restartable, Worker

log = logging.getLogger(__name__)

# From the order of workers for a prefix, the loads of those with room, and the sequences to come: the worker.
Choose = Callable[[Sequence[int], Mapping[int, int], int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSettings:
    """When a worker counts as failing, and how long the run puts up with it; times in seconds.

    stall_s: how long requests may wait while nothing finishes and no token is counted. If a server has no `/metrics`,
        it must exceed the longest generation.
    max_restarts: restarts of each process of ours in one run; for an attached server, stalls with no answer in between.
    give_up_s: how long no worker may give an answer of use, or be at work on one, while none is being restarted.
    poll_s: the watchdog's polling interval.
    recognise_every_s: how often a server that is recognised by its weights is looked at again.
    """

    stall_s: float = 120.0
    max_restarts: int = 2
    give_up_s: float = 300.0
    poll_s: float = 1.0
    recognise_every_s: float = 600.0

    def __post_init__(self) -> None:
        for name in ("stall_s", "give_up_s", "poll_s", "recognise_every_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        if self.max_restarts < 0:
            raise ValueError(f"max_restarts must be at least 0, got {self.max_restarts}")


class Fleet:
    """An engine over several workers: requests that begin alike go to one of them, as far as the load is even.

    An async context manager that opens and closes the workers' clients and never stops a server. While no worker has
    room, calls wait, first come, first served. Once none can come back within the settings, these and all later calls
    raise EngineLost.
    """

    def __init__(self, workers: Sequence[Worker], settings: FleetSettings, *, choose: Choose = chosen) -> None:
        if not workers:
            raise ValueError("workers must be at least 1, got 0")
        self._workers = tuple(workers)
        self._settings = settings
        self._restarting = 0
        self._none_serves_since: float | None = None
        self._lost: str | None = None
        self._choose = choose
        self._affinity = Affinity(_names(self._workers))
        self._queue: deque[tuple[Request, asyncio.Future[Worker]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._watchers: list[asyncio.Task[None]] = []
        self._clients = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for worker in self._workers:
            await self._clients.enter_async_context(worker.client)
        self._update_state()
        self._watchers = [asyncio.create_task(self._guarded_watch(worker)) for worker in self._workers]
        recognised = [worker for worker in self._workers if worker.recognise is not None]
        self._watchers += [asyncio.create_task(self._recognise_now_and_then(worker)) for worker in recognised]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        self._lose("the fleet was closed")
        await self._clients.aclose()

    async def generate(self, request: Request) -> Generation:
        """Continue `request.prefix` on a worker that has room, waiting for one if necessary."""
        if not self._watchers:
            raise RuntimeError("Fleet is used inside `async with`")
        worker = await self._admitted(request)
        try:
            return await worker.generate(request)
        finally:
            worker.sequences -= request.n
            self._update_state()  # a failed call may take its worker down

    async def _admitted(self, request: Request) -> Worker:
        if self._lost is not None:
            raise EngineLost(self._lost)
        granted: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._queue.append((request, granted))
        self._admit()
        try:
            return await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled() and granted.exception() is None:
                granted.result().sequences -= request.n
                self._admit()
            raise

    def _admit(self) -> None:
        """Send waiting requests on, in their order, as long as a worker has room."""
        while self._queue:
            request, granted = self._queue[0]
            if not granted.done():
                worker = self._choice(request)
                if worker is None:
                    self._admit_after_a_pause()
                    return
                worker.sequences += request.n
                granted.set_result(worker)
            self._queue.popleft()

    def _choice(self, request: Request) -> Worker | None:
        room = {number: worker for number, worker in enumerate(self._workers) if worker.has_room(request.n)}
        if len(room) > 1:
            room = {number: worker for number, worker in room.items() if not worker.is_wary()} or room
        if len(self._workers) == 1 or not room:
            return next(iter(room.values()), None)
        loads = {number: worker.sequences for number, worker in room.items()}
        return room[self._choose(self._affinity.order(request.prefix), loads, request.n)]

    def _admit_after_a_pause(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        pauses = [worker.window.paused_until for worker in self._workers if worker.up]
        ends = [until for until in pauses if until > now]
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(min(ends), self._admit) if ends else None

    async def model_info(self) -> ModelInfo:
        """The served model, with the shortest context among the workers that answer.

        Raises EngineUnavailable if no worker answers, EngineMisconfigured if one does not serve the model, or serves it
        with other weights than the policy's. Waits up to `give_up_s` for one that only says that it is busy.
        """
        infos: list[ModelInfo] = []
        for worker in self._workers:
            try:
                infos.append(await self._introduced(worker))
            except EngineUnavailable as error:
                worker.suspect(str(error))
        self._update_state()
        if not infos:
            raise EngineUnavailable(self._report())
        contexts = [info.max_model_len for info in infos if info.max_model_len is not None]
        return ModelInfo(name=infos[0].name, max_model_len=min(contexts, default=None))

    async def _introduced(self, worker: Worker) -> ModelInfo:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.give_up_s
        while True:
            try:
                info = await worker.client.model_info()
                await worker.recognised(self._settings.give_up_s)
                return info
            except EngineBusy as error:
                wait_s = max(self._settings.poll_s, error.retry_after_s or 0.0)
                if loop.time() + wait_s > deadline:
                    raise
            await asyncio.sleep(wait_s)

    async def _guarded_watch(self, worker: Worker) -> None:
        try:
            await self._watch(worker)
        except Exception as error:  # without its watchdog a call could wait forever
            self._lose(f"the watchdog of {worker.describe()} failed: {error!r}")
            raise

    async def _recognise_now_and_then(self, worker: Worker) -> None:
        """Look at the weights again: behind a router they can change without a lost connection."""
        while not worker.lost and self._lost is None:
            await asyncio.sleep(self._settings.recognise_every_s)
            try:
                if worker.up:
                    await worker.recognised(RECOGNISED_WITHIN_S)
            except EngineMisconfigured as error:
                self._discard(worker, str(error))
                self._update_state()
            except EngineUnavailable as error:  # whether it serves is the watchdog's to judge
                log.warning("%s could not be recognised this time: %s", worker.describe(), error)

    async def _watch(self, worker: Worker) -> None:
        settings = self._settings
        while not worker.lost and self._lost is None:
            try:
                if (trouble := await worker.diagnose(settings.stall_s)) is not None:
                    worker.abandon(trouble)
                    self._update_state()
                    await self._recover(worker)
                elif not worker.up:
                    await worker.probe(settings.poll_s, 10 * settings.poll_s)
            except EngineMisconfigured as error:
                self._discard(worker, str(error))
            self._update_state()
            await _wait_and_clear(worker.suspected, settings.poll_s)

    async def _recover(self, worker: Worker) -> None:
        limit = self._settings.max_restarts
        while not worker.up:
            if worker.strikes >= limit:
                self._discard(worker, f"{worker.trouble}; {_exhausted(worker)}")
                return
            worker.strikes += 1
            log.warning("%s: %s (%d of %d)", worker.describe(), worker.trouble, worker.strikes, limit)
            if worker.server is None:
                return
            await self._restart(worker, worker.server)

    async def _restart(self, worker: Worker, server: Restartable) -> None:
        self._restarting += 1
        try:
            await worker.restart(server)
        finally:
            self._restarting -= 1

    def _discard(self, worker: Worker, trouble: str) -> None:
        worker.abandon(trouble)
        worker.lost = True
        log.error("%s is out of the run: %s", worker.describe(), trouble)

    def _update_state(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._restarting or any(worker.serves() for worker in self._workers):
            self._none_serves_since = None
        elif self._none_serves_since is None:
            self._none_serves_since = now
        elif now - self._none_serves_since >= self._settings.give_up_s:
            self._lose(self._given_up())
        if all(worker.lost for worker in self._workers):
            self._lose(f"no engine is left: {self._report()}")
        self._admit()

    def _given_up(self) -> str:
        last = [worker.useless for worker in self._workers if not worker.lost and worker.useless is not None]
        if any(isinstance(error, EngineBusy) for error in last):
            what, remedy = "took a request", "lower in_flight, or let the server take more requests at once"
        elif last:
            what, remedy = "gave an answer of use", "see what answers at that address, and its log"
        else:
            what, remedy = "answered", "check that it runs and is reachable"
        return f"no engine {what} for {self._settings.give_up_s:g} s (give_up_s): {self._report()}: {remedy}"

    def _report(self) -> str:
        return "; ".join(f"{worker.describe()}: {worker.trouble}" for worker in self._workers)

    def _lose(self, reason: str) -> None:
        if self._lost is None:
            self._lost = reason
        for worker in self._workers:
            worker.abandon(self._lost)
        while self._queue:
            _, granted = self._queue.popleft()
            if not granted.done():
                granted.set_exception(EngineLost(self._lost))


async def _wait_and_clear(event: asyncio.Event, seconds: float) -> None:
    """Wait at most `seconds` for `event` to be set, then clear it."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
    event.clear()


def _names(workers: Sequence[Worker]) -> list[str]:
    """A name for each worker that does not depend on the order of different addresses."""
    urls = [worker.client.url for worker in workers]
    return [f"{url} {urls[:number].count(url)}" for number, url in enumerate(urls)]


def _exhausted(worker: Worker) -> str:
    if worker.server is None:
        return f"it stalled {worker.strikes + 1} times without an answer (max_restarts): see its log and restart it"
    return f"it was restarted {worker.strikes} times already (max_restarts): its log has the cause"
