"""A reward model over HTTP, on a vLLM server that somebody else runs: one number per solution.

It speaks vLLM 0.32's `/pooling` (the model's own chat template, one conversation per request) and `/score` (problem and
solution as a pair of texts, one request per problem). It requests scores before any activation: after a sigmoid, all
good solutions look the same.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, Self, get_args
from urllib.parse import urlsplit

import aiohttp

from generators.engine.errors import EngineLost, EngineMisconfigured, EngineUnavailable, RequestRefused
from generators.engine.wire import error_message
from generators.models.reward import conversation
from generators.sampling.tasks import gather

Endpoint = Literal["pooling", "score"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardServerSettings:
    """The server and the endpoint to use, and limits on requests; times in seconds.

    A request whose failure may pass is tried up to `tries` times, with a pause that doubles.
    """

    url: str
    model: str
    endpoint: Endpoint = "pooling"
    in_flight: int = 32
    tries: int = 4
    pause_s: float = 1.0
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 300.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"url must be an http:// or https:// address, got {self.url!r}")
        if self.endpoint not in get_args(Endpoint):
            raise ValueError(f"endpoint must be one of {', '.join(get_args(Endpoint))}, got {self.endpoint!r}")
        for field in ("in_flight", "tries"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")
        for field in ("pause_s", "connect_timeout_s", "read_timeout_s"):
            if getattr(self, field) <= 0:
                raise ValueError(f"{field} must be above 0, got {getattr(self, field)}")


class RewardServer:
    """A `RewardModel` over HTTP; an async context manager."""

    def __init__(self, settings: RewardServerSettings, *, api_key: str | None = None) -> None:
        self.name = settings.model
        self._settings = settings
        self._url = f"{settings.url.rstrip('/').removesuffix('/v1')}/{settings.endpoint}"
        self._api_key = api_key
        self._slots = asyncio.Semaphore(settings.in_flight)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self._settings.connect_timeout_s, sock_read=self._settings.read_timeout_s
        )
        headers = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else None
        # vLLM closes an idle connection after 5 s. We close ours first, else a request may be written to a closed one.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=3)
        self._session = aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout)
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
        pause, tries_left = self._settings.pause_s, self._settings.tries
        while True:
            tries_left -= 1
            try:
                async with self._slots:
                    body = await self._post(content)
                return self._numbers(body, n, number_of)
            except EngineUnavailable as failure:
                if not tries_left:
                    raise EngineLost(f"{failure} (asked {self._settings.tries} times: see tries)") from failure
            await asyncio.sleep(pause)
            pause *= 2

    async def _post(self, content: dict[str, Any]) -> bytes:
        if self._session is None:
            raise RuntimeError("RewardServer is used inside `async with`")
        try:
            async with self._session.post(self._url, json=content) as response:
                status, body = response.status, await response.read()
        except TimeoutError as error:
            raise EngineUnavailable(
                f"{self._url}: no connection within {self._settings.connect_timeout_s:g} s (connect_timeout_s) or no "
                f"answer within {self._settings.read_timeout_s:g} s (read_timeout_s)"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise EngineUnavailable(f"{self._url}: the connection failed ({type(error).__name__}: {error})") from error
        self._check(status, body)
        return body

    def _check(self, status: int, body: bytes) -> None:
        message = f"{self._url} answered {status}: {error_message(body)}"
        if status in (401, 403):
            raise EngineMisconfigured(f"{message}: set api_key to the key the server was started with")
        if status in (404, 405, 501):
            raise EngineMisconfigured(
                f"{message}: model must be a served name ({self.name!r} was asked for), and the server one of a "
                f"sequence-classification model with /{self._settings.endpoint} (see endpoint)"
            )
        if status in (408, 429) or status >= 500:
            raise EngineUnavailable(message)
        if status != 200:
            raise RequestRefused(message)

    def _numbers(self, body: bytes, n: int, number_of: Callable[[dict[str, Any]], Any]) -> tuple[float, ...]:
        try:
            items = sorted(json.loads(body)["data"], key=lambda item: int(item["index"]))
            numbers = [number_of(item) for item in items]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise EngineUnavailable(f"{self._url}: the answer could not be read ({error!r})") from error
        several = next((number for number in numbers if isinstance(number, list)), None)
        if several is not None:
            raise EngineMisconfigured(
                f"{self._url} gives {len(several)} numbers per text: model must be a reward model with one label"
            )
        if len(numbers) != n or not all(isinstance(number, int | float) and isfinite(number) for number in numbers):
            raise EngineUnavailable(f"{self._url}: expected {n} finite numbers, got {numbers[:9]}")
        return tuple(map(float, numbers))


def _score_of(item: dict[str, Any]) -> Any:
    return item["score"]


def _pooled_of(item: dict[str, Any]) -> Any:
    """The number for a text; the last token's number if the model gives one per token."""
    pooled = item["data"]
    if isinstance(pooled[-1], list):
        pooled = pooled[-1]
    return pooled[0] if len(pooled) == 1 else pooled
