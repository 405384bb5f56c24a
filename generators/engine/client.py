"""The HTTP client of one vLLM server: one try per call, and each failure classified by who can fix it.

Retries and the bound on requests in flight belong to `generators.engine.pool`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

import aiohttp

from generators.engine import next_tokens, wire
from generators.engine.address import Address, scrubbed
from generators.engine.answers import LARGEST_PROBE, NOT_COMPRESSED, body_of, header, it_said, largest_answer, printable
from generators.engine.errors import (
    EngineBusy,
    EngineErred,
    EngineError,
    EngineMisconfigured,
    EngineUnavailable,
    EngineUnreadable,
)
from generators.engine.protocol import Generation, Request
from generators.engine.retry_after import retry_after_s

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
    """A served model; `max_model_len` bounds prefix plus continuation, in tokens.

    `card` is what the server says of itself: the model's `root`, `revision` and `created`, where it gives them.
    """

    name: str
    max_model_len: int | None
    card: tuple[tuple[str, str], ...] = ()


class _Answer(NamedTuple):
    status: int
    body: bytes
    retry_after_s: float | None = None
    location: str = ""


class VLLMClient:
    """An engine over HTTP; `url` is the server's root without credentials and may be changed when the server moves.

    An async context manager. Cancelling a call closes its connection, which makes vLLM drop the work. It follows no
    redirect, so a prompt goes nowhere but to `url`. Raises ValueError if `url` is no address.
    """

    def __init__(self, url: str, *, model: str, api_key: str | None = None, settings: ClientSettings) -> None:
        address = Address.of(url)
        self.url = address.root
        self.model = model
        self._authorization = address.headers(api_key)
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._max_model_len: int | None = None
        self._names = frozenset({model})
        self._has_answered = False

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=self._settings.keepalive_s)
        headers = NOT_COMPRESSED | self._authorization
        self._session = aiohttp.ClientSession(
            connector=connector, headers=headers, auto_decompress=False, json_serialize_bytes=wire.json_bytes
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def generate(self, request: Request) -> Generation:
        """Continue `request.prefix` in one try; raises one of `generators.engine.errors`."""
        answer = await self._complete(wire.payload(request, self.model), largest_answer(request))
        if answer.status != 200:
            raise await self._error(request, answer)
        try:
            generation = wire.generation(request, answer.body)
        except EngineUnavailable as error:
            raise self._unreadable(str(error), answer.body) from error
        except EngineError as error:
            raise type(error)(f"{self.url}: {error}") from error
        if generation.model not in (None, *self._names):
            await self._check_name(str(generation.model))
        self._has_answered = True
        return generation

    async def _check_name(self, answered: str) -> None:
        await self.model_info()
        if answered not in self._names:
            raise EngineMisconfigured(
                f"{self.url} was asked for the model {self.model!r} and answered as {printable(answered)[:100]!r}, "
                "which its list of models does not give as another name of it: set model to the name of what it serves"
            )

    async def next_tokens(self, prefix: Sequence[int]) -> next_tokens.LogProbabilities:
        """The log-probabilities of the likeliest next tokens after `prefix`, as the server gives them.

        Raises EngineMisconfigured if the server gives none.
        """
        answer = await self._complete(next_tokens.payload(prefix, self.model), LARGEST_PROBE)
        remedy = "by which its weights would be recognised: set revision to a name of them"
        if answer.status in (400, 422):
            raise EngineMisconfigured(f"{self.url} refuses log-probabilities ({_message(answer.body)}), {remedy}")
        if answer.status != 200:
            raise self._common_error(answer, "/v1/completions")
        try:
            return next_tokens.log_probabilities(answer.body)
        except EngineMisconfigured as error:
            raise EngineMisconfigured(f"{self.url}: {error}, {remedy}") from error
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise self._unreadable(f"the answer could not be read ({error!r})", answer.body) from error

    async def check(self) -> None:
        """Raise unless the server answers, reports its engine alive and serves the model.

        A router is unhealthy while any replica is down, and ready while one is left: that is enough.
        """
        answer = await self._call("GET", "/health", self._probe)
        if answer.status >= 500 and (await self._call("GET", "/readiness", self._probe)).status != 200:
            raise self._common_error(answer, "/health")
        if 300 <= answer.status < 400:
            raise self._common_error(answer, "/health")
        await self.model_info()

    async def model_info(self) -> ModelInfo:
        """The served model; raises EngineMisconfigured, listing the served names, if it is not among them."""
        answer = await self._call("GET", "/v1/models", self._probe)
        if answer.status != 200:
            raise self._common_error(answer, "/v1/models")
        try:
            cards = {str(card["id"]): card for card in json.loads(answer.body)["data"]}
            contexts = {name: _context(card.get("max_model_len")) for name, card in cards.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._unreadable(f"the list of models could not be read ({error!r})", answer.body) from error
        if self.model not in cards:
            served = printable(", ".join(cards)[:300])
            raise EngineMisconfigured(
                f"{self.url} does not serve the model {self.model!r}, only {served or 'none'}: "
                "set model to a served name"
            )
        self._max_model_len = contexts[self.model]
        self._names = wire.names_of(self.model, cards)
        said = cards[self.model]
        card = tuple((key, str(said[key])) for key in ("root", "revision", "created") if said.get(key) is not None)
        return ModelInfo(name=self.model, max_model_len=self._max_model_len, card=card)

    async def generated_tokens(self) -> float | None:
        """Tokens that the server has generated for all clients since it started; None if it does not count them."""
        answer = await self._call("GET", "/metrics", self._probe)
        return wire.counter(answer.body.decode(errors="replace"), GENERATED_TOKENS) if answer.status == 200 else None

    @property
    def _probe(self) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=self._settings.probe_timeout_s)

    async def _complete(self, content: dict[str, Any], largest: int) -> _Answer:
        settings = self._settings
        timeouts = aiohttp.ClientTimeout(
            total=None, sock_connect=settings.connect_timeout_s, sock_read=settings.read_timeout_s
        )
        return await self._call("POST", "/v1/completions", timeouts, content, largest)

    async def _call(
        self,
        method: str,
        path: str,
        timeouts: aiohttp.ClientTimeout,
        content: dict[str, Any] | None = None,
        largest: int = LARGEST_PROBE,
    ) -> _Answer:
        if self._session is None:
            raise RuntimeError("VLLMClient is used inside `async with`")
        where = self.url + path
        try:
            async with self._session.request(
                method, where, json=content, timeout=timeouts, allow_redirects=False
            ) as response:
                body = await body_of(response, largest)
                wait_s = retry_after_s(response.headers.get("Retry-After"), datetime.now(UTC))
                return _Answer(response.status, body, wait_s, header(response.headers, "Location"))
        except EngineUnreadable as error:
            raise EngineUnreadable(f"{where}: {error}") from error
        except TimeoutError as error:
            raise EngineUnavailable(f"{where}: {self._timeout_message(error, timeouts)}") from error
        except (aiohttp.ClientError, OSError) as error:
            cause = printable(f"{type(error).__name__}: {error}")
            raise EngineUnavailable(f"{where}: the connection failed ({cause})") from error

    def _timeout_message(self, error: TimeoutError, timeouts: aiohttp.ClientTimeout) -> str:
        settings = self._settings
        if timeouts.total is not None:
            return f"no answer within {settings.probe_timeout_s:g} s (probe_timeout_s)"
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return f"no connection within {settings.connect_timeout_s:g} s (connect_timeout_s)"
        return f"no answer within {settings.read_timeout_s:g} s (read_timeout_s)"

    async def _error(self, request: Request, answer: _Answer) -> EngineError:
        status = answer.status
        if status in (404, 405):
            await self.model_info()  # raises if the model is what is unknown
            if self._has_answered:  # a router's other backend, or one that is being replaced
                return EngineErred(f"{self.url} answered {status}: {_message(answer.body)}")
            return EngineMisconfigured(f"{self.url} has no /v1/completions: url must be the root of a vLLM server")
        if status in (401, 403, 408, 429) or status < 400 or status >= 500:
            return self._common_error(answer, "/v1/completions")
        return wire.refusal(request, _message(answer.body), self._max_model_len)

    def _common_error(self, answer: _Answer, path: str) -> EngineError:
        status, said = answer.status, f"{self.url} answered {answer.status}: {_message(answer.body)}"
        if 300 <= status < 400:
            return EngineMisconfigured(
                f"{self.url}{path} redirects to {scrubbed(answer.location).partition('?')[0] or 'nowhere'} ({status}), "
                "and no prompt is sent on to another address: set url to the address that answers itself"
            )
        if status in (401, 403):
            fault = "refused the key" if self._authorization else "asks for a key and none is set"
            return EngineMisconfigured(
                f"{self.url} {fault} ({status}): set api_key_env to the variable with the key the server was started "
                "with"
            )
        if status in (404, 405):
            return EngineMisconfigured(f"{self.url} has no {path}: url must be the root of a vLLM server")
        if status == 429 or (status == 503 and answer.retry_after_s is not None):
            return EngineBusy(said, retry_after_s=answer.retry_after_s)
        if status < 300:
            return EngineUnreadable(said)
        if status < 500 and status != 408:
            return EngineMisconfigured(f"{said}: url must be the root of a vLLM server")
        return EngineErred(said)

    def _unreadable(self, trouble: str, body: bytes) -> EngineUnreadable:
        said = it_said(body)
        return EngineUnreadable(f"{self.url}: {printable(trouble)}; {said}", said=said)


def _message(body: bytes) -> str:
    return printable(wire.error_message(body))[:300]


def _context(value: object) -> int | None:
    if value is not None and (not isinstance(value, int) or value < 1):
        raise ValueError(f"max_model_len is {value!r}")
    return value
