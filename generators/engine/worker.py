"""One worker of a fleet: a client, the process behind it when that is ours, and what was seen of both.

Knows how to tell that a worker is ill and how to mend it; routes nothing and decides nothing about the run.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol, Self

from generators.engine.client import ModelInfo
from generators.engine.errors import EngineError, EngineMisconfigured, EngineUnavailable, RequestRefused
from generators.engine.protocol import Generation, Request


class Restartable(Protocol):
    """A server process that we started."""

    @property
    def url(self) -> str:
        """Where it answers; may change with a restart."""
        ...

    def is_alive(self) -> bool:
        """The process runs; says nothing about whether it answers. Does not block."""
        ...

    def restart(self) -> None:
        """End what is left of it and block until a new one answers; EngineError or OSError within a time of its own."""
        ...

    def describe(self) -> str:
        """A phrase for error messages: what it is and where its log lies."""
        ...


class Client(Protocol):
    """What a fleet asks of a client; `VLLMClient` is one."""

    url: str

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc_info: object) -> None: ...

    async def generate(self, request: Request) -> Generation: ...

    async def check(self) -> None: ...

    async def model_info(self) -> ModelInfo: ...

    async def generated_tokens(self) -> float | None: ...


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(slots=True, kw_only=True, eq=False)
class Worker:
    """A client and, when the server is ours, its process; without one the server is attached and never restarted.

    `up` takes requests. A worker that is not `up` is probed or restarted; one that is `lost` stays away for the run.
    `trouble` says what was seen last. `strikes` counts the stalls and restarts since a request was last answered by an
    attached server, or since the start of the run for one of ours.
    """

    client: Client
    server: Restartable | None = None
    up: bool = field(default=True, init=False)
    lost: bool = field(default=False, init=False)
    trouble: str = field(default="", init=False)
    strikes: int = field(default=0, init=False)
    sequences: int = field(default=0, init=False)
    suspected: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _calls: set[asyncio.Timeout] = field(default_factory=set, init=False)
    _failures: int = field(default=0, init=False)
    _down_since: float = field(default=0.0, init=False)
    _probe_at: float = field(default=0.0, init=False)
    _quiet_since: float = field(default=0.0, init=False)
    _tokens: float | None = field(default=None, init=False)

    def describe(self) -> str:
        """A phrase for error messages."""
        return self.server.describe() if self.server is not None else f"the attached server at {self.client.url}"

    async def generate(self, request: Request) -> Generation:
        """Pass the request on; a failure takes the worker down until it was probed."""
        if not self._calls:
            self._quiet_since = _now()
        try:
            # Never reached by time: `abandon` ends the call through it.
            async with asyncio.timeout(None) as call:
                self._calls.add(call)
                self.sequences += request.n
                try:
                    generation = await self.client.generate(request)
                finally:
                    self._calls.discard(call)
                    self.sequences -= request.n
        except TimeoutError:
            raise EngineUnavailable(f"{self.describe()}: {self.trouble}") from None
        except EngineUnavailable as error:
            self.suspect(str(error))
            raise
        except RequestRefused:
            self._answered()
            raise
        self._answered()
        return generation

    def _answered(self) -> None:
        self._quiet_since = _now()
        self._failures = 0
        self._probe_at = 0.0
        if self.server is None:
            self.strikes = 0

    def suspect(self, trouble: str) -> None:
        """Let no further request in until a probe was answered."""
        # One burst of failed calls is one failure: those after the first find the worker down already.
        if self.up:
            self.take_down(trouble)
            self._failures += 1
            self.suspected.set()

    def take_down(self, trouble: str) -> None:
        """Let no further request in; those under way go on."""
        self.up = False
        self.trouble = trouble
        self._down_since = _now()

    def abandon(self, trouble: str) -> None:
        """Let no further request in, and end those under way with EngineUnavailable."""
        self.take_down(trouble)
        calls, self._calls = self._calls, set()
        for call in calls:
            call.reschedule(_now())

    def bring_up(self) -> None:
        """Take requests again."""
        self.up = True
        self._tokens = None
        self._quiet_since = _now()

    async def ailment(self, stall_s: float) -> str | None:
        """What makes the worker useless as it is: its process died, it stalls, or ours does not answer any more."""
        now = _now()
        if self.server is not None and not self.server.is_alive():
            return "its process ended by itself"
        if self._calls and await self._is_quiet(stall_s):
            return f"{self.sequences} sequences waited, but none finished and no token came for {stall_s:g} s"
        if self.server is not None and not self.up and now - self._down_since >= stall_s:
            return f"it did not recover within {stall_s:g} s from: {self.trouble}"
        return None

    async def _is_quiet(self, stall_s: float) -> bool:
        # A busy worker is known by its answers; its counter is read only when those stay away for a while.
        if _now() - self._quiet_since < stall_s / 4:
            return False
        try:
            tokens = await self.client.generated_tokens()
        except EngineUnavailable:
            tokens = self._tokens  # a server that does not say shows no progress
        if tokens != self._tokens:  # so a first reading convicts nobody
            self._quiet_since = _now()
        self._tokens = tokens
        return _now() - self._quiet_since >= stall_s

    async def probe(self, first_wait_s: float, max_wait_s: float) -> None:
        """Bring the worker up if it answers and its turn has come: at once after one failure, then ever later."""
        if _now() < self._probe_at:
            return
        self._probe_at = _now() + min(max_wait_s, first_wait_s * 2.0 ** min(self._failures, 30))
        try:
            await self.client.check()
        except EngineUnavailable as error:
            self._failures += 1
            self.trouble = str(error)
        else:
            self.bring_up()

    async def restart(self, server: Restartable) -> None:
        """Start our process anew, once; the worker is up afterwards or keeps its trouble."""
        restart = asyncio.ensure_future(asyncio.to_thread(server.restart))
        try:
            await asyncio.shield(restart)
        except asyncio.CancelledError:
            # The thread cannot be stopped, and a server that comes up after its owner's stop would be left behind.
            await asyncio.wait([restart])
            raise
        except EngineMisconfigured:
            raise
        except (EngineError, OSError) as error:
            self.trouble = f"{self.trouble}; its restart failed: {error}"
        else:
            self.client.url = server.url
            self.bring_up()
