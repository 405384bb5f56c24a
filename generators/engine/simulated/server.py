"""A loopback HTTP server that serves the simulated policy with vLLM's API, to test real clients.

`python -m generators.engine.simulated.server` runs it as a process that can be killed.
"""

import argparse
import asyncio
import signal
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from aiohttp import web

from generators.engine.errors import EngineUnavailable, RequestRefused
from generators.engine.protocol import Generation
from generators.engine.simulated import wire
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy

HOST = "127.0.0.1"
MODEL = "simulated"
_GRACE_S = 0.1
_MAX_BODY = 64 * 2**20


class SimulatedServer:
    """An async context manager that serves `policy` on loopback; port 0 takes a free one.

    A client that disconnects aborts its request. With `api_key`, paths below /v1 require it. The policy's faults show:
    while stalled, the server accepts requests and never answers; `die` closes its sockets as a killed process would.
    """

    def __init__(
        self, policy: SimulatedPolicy, *, model: str = MODEL, api_key: str | None = None, port: int = 0
    ) -> None:
        self.policy = policy
        self.model = model
        self.port = port
        self._api_key = api_key
        self._created = int(time.time())
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The server's root."""
        return f"http://{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def restart(self) -> None:
        """Come back on the same port after `die`; raises OSError if the port has been taken since."""
        self.policy.faults.revive()
        await self._listen()

    async def _listen(self) -> None:
        runner = web.AppRunner(self._app(), handler_cancellation=True, access_log=None, shutdown_timeout=_GRACE_S)
        await runner.setup()
        await web.TCPSite(runner, HOST, self.port, reuse_address=True).start()
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def die(self) -> None:
        """Refuse new connections and reset those in flight."""
        await self._close(abort=True)
        self.policy.faults.die()

    async def _close(self, *, abort: bool = False) -> None:
        runner, self._runner = self._runner, None
        if runner is None:
            return
        server = runner.server
        for connection in server.connections if abort and server is not None else ():
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_BODY)
        app.add_routes(
            [
                web.get("/health", self._health),
                web.get("/metrics", self._metrics),
                web.get("/v1/models", self._models),
                web.post("/v1/completions", self._completions),
                web.get("/simulated/drawn", self._drawn),
            ]
        )
        return app

    async def _completions(self, request: web.Request) -> web.Response:
        if not self._is_authorised(request):
            return _unauthorised()
        try:
            body = wire.CompletionBody.read(await _json(request))
            if body.model not in (None, self.model):
                message = f"The model `{body.model}` does not exist. Served here: {self.model}."
                return _error_response(404, "NotFoundError", message, "model")
            asked = body.request(self.policy.tokenizer)
            likeliest = self.policy.next_tokens(asked.prefix, body.logprobs) if body.logprobs else {}
            if likeliest:  # a probe of the law, which is no rollout
                generation = Generation(completions=(self.policy.greedy(asked.prefix),))
            else:
                generation = await self.policy.generate(asked)
        except wire.BadRequest as error:
            return _error_response(400, "BadRequestError", str(error), error.param)
        except RequestRefused as error:
            return _error_response(400, "BadRequestError", str(error), "input_tokens")
        except EngineUnavailable as error:
            return _error_response(500, "InternalServerError", str(error))
        base = {"id": f"cmpl-{uuid4().hex}", "created": int(time.time()), "model": self.model}
        answer = wire.answer(body, generation, tokenizer=self.policy.tokenizer, base=base, likeliest=likeliest)
        return web.json_response(answer)

    async def _models(self, request: web.Request) -> web.Response:
        if not self._is_authorised(request):
            return _unauthorised()
        return web.json_response(wire.model_list(self.model, self.policy.max_model_len, self._created))

    async def _health(self, request: web.Request) -> web.Response:
        return web.Response(status=503 if self.policy.faults.is_dead else 200)

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=wire.metrics(self.model, self.policy.counts))

    async def _drawn(self, request: web.Request) -> web.Response:
        return web.json_response(self.policy.drawn)

    def _is_authorised(self, request: web.Request) -> bool:
        return self._api_key is None or request.headers.get("Authorization") == f"Bearer {self._api_key}"


async def _json(request: web.Request) -> Any:
    try:
        return await request.json()
    except ValueError as error:
        raise wire.BadRequest(f"the body is not JSON: {error}") from error


def _error_response(status: int, kind: str, message: str, param: str | None = None) -> web.Response:
    return web.json_response(wire.error(status, kind, message, param), status=status)


def _unauthorised() -> web.Response:
    return web.json_response({"error": "Unauthorized"}, status=401)


async def serve(server: SimulatedServer) -> None:
    """Serve until SIGTERM or SIGINT; prints one line with the URL once it listens."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    async with server:
        print(f"listening on {server.url}", flush=True)
        await ended.wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Serve the simulated policy on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port (default)")
    parser.add_argument("--model", default=MODEL, help="the served model's name")
    parser.add_argument("--api-key", default=None, help="the key that paths below /v1 require")
    parser.add_argument("--max-model-len", type=int, default=8192, help="tokens of prefix plus continuation")
    parser.add_argument("--seconds-per-token", type=float, default=0.0)
    parser.add_argument("--error-rates", type=float, nargs="*", default=[], help="per step, one by problem")
    parser.add_argument("--recovery-rate", type=float, default=0.05, help="per step after a wrong total")
    options = parser.parse_args(arguments)
    policy = SimulatedPolicy(
        law=SimulatedLaw(error_rates=tuple(options.error_rates), recovery_rate=options.recovery_rate),
        max_model_len=options.max_model_len,
        seconds_per_token=options.seconds_per_token,
    )
    asyncio.run(serve(SimulatedServer(policy, model=options.model, api_key=options.api_key, port=options.port)))


if __name__ == "__main__":
    main()
