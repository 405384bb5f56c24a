"""A reward model over HTTP, on a vLLM server that somebody else runs: one number per solution.

It speaks vLLM 0.32's `/pooling` (the model's own chat template, one conversation per request) and `/score` (problem and
solution as a pair of texts, one request per problem). It requests scores before any activation: after a sigmoid, all
good solutions look the same.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Literal, Self, get_args

import aiohttp

from generators.engine.address import Address, scrubbed
from generators.engine.answers import NOT_COMPRESSED, body_of, header, it_said, printable
from generators.engine.errors import (
    EngineBusy,
    EngineErred,
    EngineLost,
    EngineMisconfigured,
    EngineUnavailable,
    EngineUnreadable,
    RequestRefused,
)
from generators.engine.retry_after import retry_after_s
from generators.engine.wire import error_message
from generators.models.reward import conversation
from generators.sampling.tasks import gather

Endpoint = Literal["pooling", "score"]

_LARGEST = 16 * 2**20  # bytes of an answer: a number a token, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardServerSettings:
    """The server and the endpoint to use, and limits on requests; times in seconds.

    A request whose failure may pass is tried up to `tries` times, with a pause that doubles.
    """

    url: str = field(repr=False)
    model: str
    endpoint: Endpoint = "pooling"
    in_flight: int = 32
    tries: int = 4
    pause_s: float = 1.0
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 300.0

    def __post_init__(self) -> None:
        Address.of(self.url)
        if self.endpoint not in get_args(Endpoint):
            raise ValueError(f"endpoint must be one of {', '.join(get_args(Endpoint))}, got {self.endpoint!r}")
        for name in ("in_flight", "tries"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("pause_s", "connect_timeout_s", "read_timeout_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")


class RewardServer:
    """A `RewardModel` over HTTP; an async context manager."""

    def __init__(self, settings: RewardServerSettings, *, api_key: str | None = None) -> None:
        self.name = settings.model
        self._settings = settings
        address = Address.of(settings.url)
        self._url = f"{address.root}/{settings.endpoint}"
        self._authorization = address.headers(api_key)
        self._slots = asyncio.Semaphore(settings.in_flight)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self._settings.connect_timeout_s, sock_read=self._settings.read_timeout_s
        )
        # vLLM closes an idle connection after 5 s. We close ours first, else a request may be written to a closed one.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3)
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=NOT_COMPRESSED | self._authorization,
            timeout=timeout,
            auto_decompress=False,
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def score(self, prompt: str, solutions: Sequence[str]) -> tuple[float, ...]:
        """One number per solution, in order; raises one of `generators.engine.errors`."""
        if not solutions:
            return ()
        if self._settings.endpoint == "score":
            return await self._request({"text_1": prompt, "text_2": list(solutions)}, len(solutions), _score_of)
        singles = [self._request({"messages": conversation(prompt, solution)}, 1, _pooled_of) for solution in solutions]
        return tuple(scores[0] for scores in await gather(singles))

    async def _request(
        self, texts: dict[str, Any], n: int, number_of: Callable[[dict[str, Any]], Any]
    ) -> tuple[float, ...]:
        content = {"model": self._settings.model, "use_activation": False, **texts}
        settings, tries = self._settings, 0
        while True:
            tries += 1
            try:
                async with self._slots:
                    body = await self._post(content)
                return self._numbers(body, n, number_of)
            except EngineUnavailable as failure:
                wait_s = settings.pause_s * 2 ** (tries - 1)
                if isinstance(failure, EngineBusy):
                    wait_s = max(wait_s, failure.retry_after_s or 0.0)
                if tries == settings.tries:
                    raise EngineLost(f"{failure} (asked {tries} times: see tries)") from failure
            await asyncio.sleep(wait_s)

    async def _post(self, content: dict[str, Any]) -> bytes:
        if self._session is None:
            raise RuntimeError("RewardServer is used inside `async with`")
        try:
            async with self._session.post(self._url, json=content, allow_redirects=False) as response:
                body = await body_of(response, _LARGEST)
                self._check(response, body)
        except EngineUnreadable as error:
            raise EngineUnreadable(f"{self._url}: {error}") from error
        except TimeoutError as error:
            raise EngineUnavailable(
                f"{self._url}: no connection within {self._settings.connect_timeout_s:g} s (connect_timeout_s) or no "
                f"answer within {self._settings.read_timeout_s:g} s (read_timeout_s)"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            cause = printable(f"{type(error).__name__}: {error}")
            raise EngineUnavailable(f"{self._url}: the connection failed ({cause})") from error
        return body

    def _check(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        status = response.status
        message = f"{self._url} answered {status}: {printable(error_message(body))[:300]}"
        if 300 <= status < 400:
            where = scrubbed(header(response.headers, "Location")).partition("?")[0] or "nowhere"
            raise EngineMisconfigured(
                f"{self._url} redirects to {where} ({status}), and no problem is sent on to another address: set url "
                "to the address that answers itself"
            )
        if status in (401, 403):
            raise EngineMisconfigured(
                f"{message}: set api_key_env to the variable with the key the server was started with"
            )
        if status in (404, 405, 501):
            raise EngineMisconfigured(
                f"{message}: model must be a served name ({self.name!r} was asked for), and the server one of a "
                f"sequence-classification model with /{self._settings.endpoint} (see endpoint)"
            )
        wait_s = retry_after_s(response.headers.get("Retry-After"), datetime.now(UTC))
        if status == 429 or (status == 503 and wait_s is not None):
            raise EngineBusy(message, retry_after_s=wait_s)
        if status == 408 or status >= 500:
            raise EngineErred(message)
        if status != 200:
            raise RequestRefused(message)

    def _numbers(self, body: bytes, n: int, number_of: Callable[[dict[str, Any]], Any]) -> tuple[float, ...]:
        try:
            items = sorted(json.loads(body)["data"], key=lambda item: int(item["index"]))
            numbers = [number_of(item) for item in items]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            trouble = printable(repr(error))
            raise EngineUnreadable(
                f"{self._url}: the answer could not be read ({trouble}); {it_said(body)}", said=it_said(body)
            ) from error
        several = next((number for number in numbers if isinstance(number, list)), None)
        if several is not None:
            raise EngineMisconfigured(
                f"{self._url} gives {len(several)} numbers per text: model must be a reward model with one label"
            )
        if len(numbers) != n or not all(isinstance(number, int | float) and isfinite(number) for number in numbers):
            got = printable(repr(numbers[:9]))[:300]
            raise EngineUnreadable(f"{self._url}: expected {n} finite numbers, got {got}", said=it_said(body))
        return tuple(map(float, numbers))


def _score_of(item: dict[str, Any]) -> Any:
    return item["score"]


def _pooled_of(item: dict[str, Any]) -> Any:
    """The number for a text; the last token's number if the model gives one per token."""
    pooled = item["data"]
    if isinstance(pooled[-1], list):
        pooled = pooled[-1]
    return pooled[0] if len(pooled) == 1 else pooled
