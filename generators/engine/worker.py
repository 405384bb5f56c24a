"""One worker of a fleet: a client, the server process if we started it, and the observed health of both.

It detects that a worker is failing and can restart it; the fleet decides when.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, Self

from generators.engine.client import ModelInfo
from generators.engine.errors import (
    EngineBusy,
    EngineErred,
    EngineError,
    EngineMisconfigured,
    EngineUnavailable,
    EngineUnreadable,
    RequestRefused,
)
from generators.engine.next_tokens import LogProbabilities
from generators.engine.protocol import Generation, Request
from generators.engine.window import Window

# A server that gives this many useless answers in a row is out until a probe succeeds: the first number if it has
# given no good one for a second either, which a busy server does all the time, the second in any case.
_USELESS = (3, 16)
_GOOD_LATELY_S = 1.0
_LONGEST_WARINESS_S = 8.0
RECOGNISED_WITHIN_S = 120.0
_FORGET_S = 90.0  # longer than any request waits for its next try


class Restartable(Protocol):
    """A server process that we started."""

    @property
    def url(self) -> str:
        """Where it answers; a restart may change it."""
        ...

    def is_alive(self) -> bool:
        """Whether the process runs; it may not answer. Does not block."""
        ...

    def restart(self) -> None:
        """End what is left of it and block until a new one answers; EngineError or OSError if none does in time."""
        ...

    def describe(self) -> str:
        """What it is and where its log is, for error messages."""
        ...


class Client(Protocol):
    """What a fleet needs of a client; `VLLMClient` is one."""

    url: str

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc_info: object) -> None: ...

    async def generate(self, request: Request) -> Generation: ...

    async def check(self) -> None: ...

    async def model_info(self) -> ModelInfo: ...

    async def generated_tokens(self) -> float | None: ...

    async def next_tokens(self, prefix: Sequence[int]) -> LogProbabilities: ...


Recognise = Callable[[Client], Awaitable[None]]


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(slots=True, kw_only=True, eq=False)
class Worker:
    """A client and, if we started the server, its process; an attached server has none and is never restarted.

    A worker takes requests while it is `up`; otherwise it is probed or restarted. A `lost` worker stays out for the
    rest of the run. `trouble` says what went wrong last, and `useless` is the last answer that was of no use, since
    the last good one. `strikes` counts stalls and restarts: of an attached server since it last answered a request, of
    ours since the start of the run. `recognise` raises unless the server has the policy's weights.
    """

    client: Client
    server: Restartable | None = None
    recognise: Recognise | None = None
    up: bool = field(default=True, init=False)
    lost: bool = field(default=False, init=False)
    trouble: str = field(default="", init=False)
    strikes: int = field(default=0, init=False)
    sequences: int = field(default=0, init=False)
    suspected: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    useless: EngineUnavailable | None = field(default=None, init=False)
    window: Window = field(default_factory=Window, init=False)
    _calls: dict[asyncio.Timeout, float] = field(default_factory=dict, init=False)
    _useless_answers: int = field(default=0, init=False)
    _useless_at: float = field(default=0.0, init=False)
    _useless_took_s: float = field(default=0.0, init=False)
    _good_at: float = field(default=float("-inf"), init=False)
    _failures: int = field(default=0, init=False)
    _down_since: float = field(default=0.0, init=False)
    _probe_at: float = field(default=0.0, init=False)
    _quiet_since: float = field(default=0.0, init=False)
    _tokens: float | None = field(default=None, init=False)

    def describe(self) -> str:
        """What the worker is, for error messages."""
        return self.server.describe() if self.server is not None else f"the attached server at {self.client.url}"

    def has_room(self, n: int) -> bool:
        """Whether the worker may be given `n` more sequences now."""
        return self.up and self.window.has_room(n, taken=self.sequences, now=_now())

    def is_wary(self) -> bool:
        """Whether the last answers were of no use, so that another worker should be asked first for a while."""
        wait_s = min(_LONGEST_WARINESS_S, 0.125 * 2.0 ** min(self._useless_answers, 30))
        return self.useless is not None and _now() - self._useless_at < wait_s

    def serves(self) -> bool:
        """Whether the worker is up and gives answers of use, or works on some; an idle one is believed to."""
        if not self.up:
            return False
        now = _now()
        if self.useless is None or (not self._calls and now - self._useless_at > _FORGET_S):
            return True
        oldest = next(iter(self._calls.values()), now)  # calls are listed in the order in which they began
        return now - oldest > 1 + 2 * self._useless_took_s

    async def generate(self, request: Request) -> Generation:
        """Pass the request on; a lost connection, or useless answers in a row, take the worker down until a probe."""
        began = _now()
        if not self._calls:
            self._quiet_since = began
        try:
            # No deadline yet: `abandon` sets one to end the call.
            async with asyncio.timeout(None) as call:
                self._calls[call] = began
                try:
                    generation = await self.client.generate(request)
                finally:
                    self._calls.pop(call, None)
        except TimeoutError:
            raise EngineUnavailable(f"{self.describe()}: {self.trouble}") from None
        except EngineBusy as error:
            self.window.refused(taken=self.sequences, now=_now(), retry_after_s=error.retry_after_s)
            self._note_useless(error, began)
            raise
        except (EngineErred, EngineUnreadable) as error:
            self._note_useless(error, began)
            self._useless_answers += 1
            few, many = _USELESS
            is_silent = _now() - self._good_at >= _GOOD_LATELY_S
            if self.up and self._useless_answers >= (few if is_silent else many):
                self.suspect(str(error))
                self.window.start_again()
            raise
        except EngineUnavailable as error:
            self.suspect(str(error))
            raise
        except RequestRefused:
            self._answered()
            raise
        self._answered()
        return generation

    def _note_useless(self, error: EngineUnavailable, began: float) -> None:
        self.trouble = str(error)
        self.useless = error
        self._useless_at = _now()
        self._useless_took_s = max(self._useless_took_s, self._useless_at - began)

    def _answered(self) -> None:
        self.window.answered(taken=self.sequences)
        self._quiet_since = self._good_at = _now()
        self._failures = 0
        self._probe_at = 0.0
        self.useless = None
        self._useless_answers = 0
        self._useless_took_s = 0.0
        if self.server is None:
            self.strikes = 0

    def suspect(self, trouble: str) -> None:
        """Accept no further request until a probe is answered."""
        # A burst of failed calls counts once: after the first, the worker is already down.
        if self.up:
            self.take_down(trouble)
            self._failures += 1
            self.suspected.set()

    def take_down(self, trouble: str) -> None:
        """Accept no further request; those in flight continue."""
        self.up = False
        self.trouble = trouble
        self._down_since = _now()

    def abandon(self, trouble: str) -> None:
        """Accept no further request, and end those in flight with EngineUnavailable."""
        self.take_down(trouble)
        calls, self._calls = self._calls, {}
        for call in calls:
            call.reschedule(_now())

    def bring_up(self) -> None:
        """Accept requests again."""
        self.up = True
        self._tokens = None
        self._quiet_since = _now()

    async def diagnose(self, stall_s: float) -> str | None:
        """What is wrong: its process died, it stalls, or our server no longer answers; None if nothing is."""
        now = _now()
        if self.server is not None and not self.server.is_alive():
            return "its process ended by itself"
        if self._calls and await self._is_quiet(stall_s):
            return f"{self.sequences} sequences waited, but none finished and no token came for {stall_s:g} s"
        if self.server is not None and not self.up and now - self._down_since >= stall_s:
            return f"it did not recover within {stall_s:g} s from: {self.trouble}"
        return None

    async def _is_quiet(self, stall_s: float) -> bool:
        # Answers show that a worker is busy; its token counter is read only if none has come for a while.
        if _now() - self._quiet_since < stall_s / 4:
            return False
        try:
            tokens = await self.client.generated_tokens()
        except EngineUnavailable:
            tokens = self._tokens  # a server that does not answer shows no progress
        if tokens != self._tokens:  # a first count differs from None, so it never looks like a stall
            self._quiet_since = _now()
        self._tokens = tokens
        return _now() - self._quiet_since >= stall_s

    async def probe(self, first_wait_s: float, max_wait_s: float) -> None:
        """Bring the worker up if a probe is due and answered; due at once after one failure, then ever less often."""
        if _now() < self._probe_at:
            return
        self._probe_at = _now() + min(max_wait_s, first_wait_s * 2.0 ** min(self._failures, 30))
        try:
            await self._checked()
        except EngineUnavailable as error:
            self._failures += 1
            self.trouble = str(error)
        else:
            self.bring_up()

    async def _checked(self) -> None:
        with suppress(EngineBusy):  # it is well, and its window says how much it takes
            await self.client.check()
        await self.recognised(RECOGNISED_WITHIN_S)

    async def recognised(self, within_s: float) -> None:
        """Raise EngineMisconfigured if the server has other weights than the policy's."""
        if self.recognise is None:
            return
        try:
            async with asyncio.timeout(within_s):
                await self.recognise(self.client)
        except TimeoutError:
            raise EngineUnavailable(
                f"{self.describe()}: it did not say within {within_s:g} s by what its weights are recognised"
            ) from None

    async def restart(self, server: Restartable) -> None:
        """Restart our process once; afterwards the worker is up or its `trouble` says why not."""
        restart = asyncio.ensure_future(asyncio.to_thread(server.restart))
        try:
            await asyncio.shield(restart)
        except asyncio.CancelledError:
            # The thread cannot be stopped, and a server that came up after its owner's `stop` would be orphaned.
            await asyncio.wait([restart])
            raise
        except EngineMisconfigured:
            raise
        except (EngineError, OSError) as error:
            self.trouble = f"{self.trouble}; its restart failed: {error}"
        else:
            self.client.url = server.url
            self.bring_up()
