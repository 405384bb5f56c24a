"""Measures what is left of the throughput when a server refuses a share of all requests with 429.

A server on the loopback answers each request after a fixed time and refuses a share of them at random, at once. The
same requests go to it through client, fleet and pool at shares of 0, 1, 5 and 20 %, and at 0 again. A second server
takes only so many requests at once and refuses the others: there the figure is the share of the rate that it could
give. The last line is JSON.
"""

import argparse
import asyncio
import json
import random
import time
from contextlib import AsyncExitStack
from typing import Any, Self

from aiohttp import web

from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.fleet import Fleet, FleetSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Limits, Request, Sampling
from generators.engine.slots import Slots
from generators.engine.worker import Worker

SHARES = (0.0, 0.01, 0.05, 0.2, 0.0)
MODEL = "measured"


class RefusingServer:
    """Answers after `seconds`; refuses a `share` of requests at random, and any beyond `room` at once."""

    def __init__(self, *, seconds: float, share: float = 0.0, room: int = 1_000_000) -> None:
        self.refused = 0
        self._seconds = seconds
        self._share = share
        self._room = room
        self._running = 0
        self._random = random.Random(0)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/completions", self._complete)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/health", self._health)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._runner.cleanup()

    async def _complete(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if self._running >= self._room or self._random.random() < self._share:
            self.refused += 1
            return web.json_response({"error": {"message": "too many requests"}}, status=429)
        self._running += 1
        try:
            await asyncio.sleep(self._seconds)
        finally:
            self._running -= 1
        return web.json_response(_answer(asked))

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": MODEL, "max_model_len": 4096}]})

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response()


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    choice = {"index": 0, "text": "a", "token_ids": [9], "finish_reason": "length", "stop_reason": None}
    usage = {"prompt_tokens": len(asked["prompt"]), "completion_tokens": 1}
    return {"object": "text_completion", "model": MODEL, "choices": [choice], "usage": usage}


async def rate(server: RefusingServer, *, requests: int, in_flight: int) -> float:
    """Requests answered in a second, all of them waiting from the start."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(server)
        client = VLLMClient(server.url, model=MODEL, settings=ClientSettings())
        fleet = await stack.enter_async_context(Fleet([Worker(client=client)], FleetSettings()))
        pool = Pool(fleet, Slots(in_flight), settings=RetrySettings())
        began = time.perf_counter()
        await asyncio.gather(*(pool.generate(_request(number)) for number in range(requests)))
        return requests / (time.perf_counter() - began)


def _request(number: int) -> Request:
    return Request(prefix=(number, 5, 6, 7), sampling=Sampling(), limits=Limits(max_tokens=1), seed=number)


async def measured(options: argparse.Namespace) -> dict[str, float]:
    """The ratios to the rate without a refusal."""
    rates: dict[float, list[float]] = {share: [] for share in SHARES}
    for share in SHARES:
        server = RefusingServer(seconds=options.seconds, share=share)
        rates[share].append(await rate(server, requests=options.requests, in_flight=options.in_flight))
        print(f"{share:4.0%} refused: {rates[share][-1]:6.1f} requests a second, {server.refused} refusals", flush=True)
    room = options.in_flight // 4
    server = RefusingServer(seconds=options.seconds, room=room)
    narrow = await rate(server, requests=options.requests, in_flight=options.in_flight)
    could = room / options.seconds
    print(f"room for {room}: {narrow:.1f} of {could:.1f} requests a second, {server.refused} refusals")
    without = sum(rates[0.0]) / len(rates[0.0])
    ratios = {f"ratio_at_{share:.0%}".replace("%", "_percent"): rates[share][0] / without for share in SHARES[1:-1]}
    return {name: round(value, 3) for name, value in (ratios | {"ratio_of_room": narrow / could}).items()}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1200)
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=0.1, help="how long the server takes for a request")
    print(json.dumps(asyncio.run(measured(parser.parse_args()))))


if __name__ == "__main__":
    main()
