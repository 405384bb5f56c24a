"""A stub of vLLM's server on a loopback socket: it answers as it is told and records what it was asked."""

import asyncio
import json
from collections import deque

import pytest
from aiohttp import web

EOS = 2


def completion_body(asked, **changes):
    choices = [
        {
            "index": i,
            "text": f" child {i}",
            "logprobs": {"token_logprobs": [-0.5, -0.25, 0.0]} if "logprobs" in asked else None,
            "finish_reason": "stop",
            "stop_reason": None,
            "token_ids": [10 + i, 11 + i, EOS],
        }
        for i in range(asked["n"])
    ]
    for choice in choices:
        choice |= changes
    usage = {"prompt_tokens": len(asked["prompt"]), "completion_tokens": 3 * asked["n"], "prompt_tokens_details": None}
    return {"object": "text_completion", "model": asked["model"], "choices": choices, "usage": usage}


class StubServer:
    """Each answer in `script` serves one request, then plain completions follow.

    An answer is a status with a body and perhaps headers, `"hang"`, `"close"`, or a dict of changes to every choice.
    """

    def __init__(self, *script, port=0, models=("policy",), cards=None, max_model_len=64, metrics=True):
        self.script = deque(script)
        self.cards = cards or [{"id": name} for name in models]
        self.max_model_len = max_model_len
        self.metrics = metrics
        self.tokens = 0.0
        self.always = None
        self.busy_lists = 0
        self.health = 200
        self.readiness = 404  # only a router has this path
        self.probes = 0
        self.asked = []
        self.keys = []
        self.arrived = asyncio.Event()
        self.disconnected = asyncio.Event()
        self._port = port

    async def __aenter__(self):
        app = web.Application()
        app.router.add_post("/v1/completions", self._complete)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/health", self._health)
        app.router.add_get("/readiness", self._ready)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.05)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"
        return self

    async def __aexit__(self, *exc_info):
        await self._runner.cleanup()

    async def _complete(self, request):
        asked = await request.json()
        self.asked.append(asked)
        self.keys.append(request.headers.get("Authorization"))
        self.arrived.set()
        answer = self.always or (self.script.popleft() if self.script else {})
        if answer == "hang":
            return await self._hang()
        if answer == "close":
            request.transport.close()
            return web.Response()
        if isinstance(answer, dict):
            return web.json_response(completion_body(asked, **answer))
        status, body, *headers = answer
        if not isinstance(body, bytes):
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
        return web.Response(status=status, body=body, headers=dict(*headers))

    async def _hang(self):
        try:
            return await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.disconnected.set()
            raise

    async def _models(self, _):
        if self.busy_lists:
            self.busy_lists -= 1
            return web.Response(status=429)
        cards = [{"max_model_len": self.max_model_len} | card for card in self.cards]
        return web.json_response({"object": "list", "data": cards})

    async def _metrics(self, _):
        if not self.metrics:
            raise web.HTTPNotFound
        lines = [
            "# TYPE vllm:generation_tokens_total counter",
            f'vllm:generation_tokens_total{{engine="0",model_name="policy"}} {self.tokens}',
            f'vllm:generation_tokens_total{{engine="1",model_name="policy"}} {2 * self.tokens}',
            "vllm:generation_tokens_total_created 1.7e9",
        ]
        return web.Response(text="\n".join(lines))

    async def _health(self, _):
        self.probes += 1
        return web.Response(status=self.health)

    async def _ready(self, _):
        return web.Response(status=self.readiness)


@pytest.fixture
def stub_server():
    return StubServer
