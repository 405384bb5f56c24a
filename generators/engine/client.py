"""The HTTP client of one vLLM server: one try per call, and each failure classified by who can fix it.

Retries and the bound on requests in flight belong to `generators.engine.pool`.
"""

import json
from dataclasses import dataclass, fields
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

from generators.engine import wire
from generators.engine.errors import EngineError, EngineMisconfigured, EngineUnavailable
from generators.engine.protocol import Generation, Request

GENERATED_TOKENS = "vllm:generation_tokens_total"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Timeouts in seconds; a call as a whole has no limit while data keeps arriving.

    A completion arrives in one piece, so `read_timeout_s` must exceed the longest generation. `keepalive_s` must stay
    below the 5 s after which vLLM closes an idle connection; otherwise a request may be written to a closed one.
    """

    connect_timeout_s: float = 10.0
    read_timeout_s: float = 1800.0
    probe_timeout_s: float = 5.0
    keepalive_s: float = 3.0

    def __post_init__(self) -> None:
        for setting in fields(self):
            if (value := getattr(self, setting.name)) <= 0:
                raise ValueError(f"{setting.name} must be above 0, got {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """A served model; `max_model_len` bounds prefix plus continuation, in tokens."""

    name: str
    max_model_len: int | None


class VLLMClient:
    """An engine over HTTP; `url` is the server's root and may be changed when the server moves.

    An async context manager. Cancelling a call closes its connection, which makes vLLM drop the work.
    """

    def __init__(self, url: str, *, model: str, api_key: str | None = None, settings: ClientSettings) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"url must be an http:// or https:// address, got {url!r}")
        self.url = url.rstrip("/").removesuffix("/v1")
        self.model = model
        self._api_key = api_key
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._max_model_len: int | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=self._settings.keepalive_s)
        headers = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else None
        self._session = aiohttp.ClientSession(connector=connector, headers=headers)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def generate(self, request: Request) -> Generation:
        """Continue `request.prefix` in one try; raises one of `generators.engine.errors`."""
        settings = self._settings
        timeouts = aiohttp.ClientTimeout(
            total=None, sock_connect=settings.connect_timeout_s, sock_read=settings.read_timeout_s
        )
        status, body = await self._call("POST", "/v1/completions", timeouts, wire.payload(request, self.model))
        if status != 200:
            raise await self._error(request, status, body)
        try:
            return wire.generation(request, body)
        except EngineError as error:
            raise type(error)(f"{self.url}: {error}") from error

    async def check(self) -> None:
        """Raise unless the server answers, reports its engine alive and serves the model."""
        status, body = await self._call("GET", "/health", self._probe)
        if status >= 500:
            raise self._common_error(status, body)
        await self.model_info()

    async def model_info(self) -> ModelInfo:
        """The served model; raises EngineMisconfigured, listing the served names, if it is not among them."""
        status, body = await self._call("GET", "/v1/models", self._probe)
        if status != 200:
            raise self._common_error(status, body)
        try:
            served = {str(card["id"]): card.get("max_model_len") for card in json.loads(body)["data"]}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EngineUnavailable(f"{self.url}/v1/models: the answer could not be read ({error!r})") from error
        if self.model not in served:
            raise EngineMisconfigured(
                f"{self.url} does not serve the model {self.model!r}, only {', '.join(served) or 'none'}: "
                "set model to a served name"
            )
        self._max_model_len = served[self.model]
        return ModelInfo(name=self.model, max_model_len=self._max_model_len)

    async def generated_tokens(self) -> float | None:
        """Tokens that the server has generated for all clients since it started; None if it does not count them."""
        status, body = await self._call("GET", "/metrics", self._probe)
        return wire.counter(body.decode(errors="replace"), GENERATED_TOKENS) if status == 200 else None

    @property
    def _probe(self) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=self._settings.probe_timeout_s)

    async def _call(
        self, method: str, path: str, timeouts: aiohttp.ClientTimeout, content: dict[str, Any] | None = None
    ) -> tuple[int, bytes]:
        if self._session is None:
            raise RuntimeError("VLLMClient is used inside `async with`")
        try:
            async with self._session.request(method, self.url + path, json=content, timeout=timeouts) as response:
                return response.status, await response.read()
        except TimeoutError as error:
            raise EngineUnavailable(f"{self.url}{path}: {self._timeout_message(error, timeouts)}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise EngineUnavailable(
                f"{self.url}{path}: the connection failed ({type(error).__name__}: {error})"
            ) from error

    def _timeout_message(self, error: TimeoutError, timeouts: aiohttp.ClientTimeout) -> str:
        settings = self._settings
        if timeouts.total is not None:
            return f"no answer within {settings.probe_timeout_s:g} s (probe_timeout_s)"
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return f"no connection within {settings.connect_timeout_s:g} s (connect_timeout_s)"
        return f"no answer within {settings.read_timeout_s:g} s (read_timeout_s)"

    async def _error(self, request: Request, status: int, body: bytes) -> EngineError:
        if status in (404, 405):
            await self.model_info()  # raises if the model is what is unknown
            return EngineMisconfigured(f"{self.url} has no /v1/completions: url must be the root of a vLLM server")
        if status in (401, 403, 408, 429) or status >= 500:
            return self._common_error(status, body)
        return wire.refusal(request, wire.error_message(body), self._max_model_len)

    def _common_error(self, status: int, body: bytes) -> EngineError:
        if status in (401, 403):
            fault = "refused the api_key" if self._api_key else "asks for a key and api_key is unset"
            return EngineMisconfigured(
                f"{self.url} {fault} ({status}): set api_key to the key the server was started with"
            )
        if status in (404, 405):
            return EngineMisconfigured(f"{self.url} has no /v1/models: url must be the root of a vLLM server")
        return EngineUnavailable(f"{self.url} answered {status}: {wire.error_message(body)}")
