"""Measures how many rollouts one CPU second of the client takes in: sampler, ledger, tokenizer, pool, fleet and client.

A server in another process sends canned answers of `tokens` tokens in the form that vLLM 0.32 writes them. The client
draws them as a recipe does, eight rollouts a prefix and 512 in flight, reads every text once and closes the ledger. All
CPU seconds of this process count, those of its threads too. The last line is JSON.
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from upath import UPath

from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.embedded import embedded_model
from generators.engine.fleet import Fleet, FleetSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Limits, Sampling
from generators.engine.slots import Slots
from generators.engine.tokenizer import HFTokenizer
from generators.engine.worker import Worker
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler

MODEL = "canned"
IN_FLIGHT = 512
SIBLINGS = 8  # rollouts of one prefix
CANNED = 32  # different answers
WARM_UP = 512  # rollouts before the measurement
GPU_TOKENS_PER_S = 3000


def _some_tokens(tokenizer: HFTokenizer) -> list[int]:
    pages = sorted((Path(__file__).parents[1] / "docs").glob("*.md"))
    return list(tokenizer.encode("".join(page.read_text(encoding="utf-8") for page in pages)[:200_000]))


def answer(token_ids: Sequence[int], prefix: Sequence[int], text: str) -> dict[str, Any]:
    """An answer of vLLM 0.32 to `/v1/completions`, with every field that it writes."""
    choice = {
        "index": 0,
        "text": text,
        "logprobs": None,
        "finish_reason": "length",
        "stop_reason": None,
        "token_ids": list(token_ids),
        "prompt_logprobs": None,
        "prompt_token_ids": list(prefix),
        "routed_experts": None,
    }
    usage = {
        "prompt_tokens": len(prefix),
        "total_tokens": len(prefix) + len(token_ids),
        "completion_tokens": len(token_ids),
        "prompt_tokens_details": {"cached_tokens": len(prefix) // 16 * 16},
    }
    return {
        "id": "cmpl-0123456789abcdef0123456789abcdef",
        "object": "text_completion",
        "created": 1_700_000_000,
        "model": MODEL,
        "choices": [choice],
        "service_tier": None,
        "system_fingerprint": "vllm-0.32.0-01234567",
        "usage": usage,
        "kv_transfer_params": None,
        "ec_transfer_params": None,
        "metrics": None,
    }


def _serve(pipe: Connection, tokens: int, prefix: int) -> None:
    tokenizer = HFTokenizer(embedded_model())
    known = _some_tokens(tokenizer)
    starts = random.Random(1).sample(range(len(known) - max(tokens, prefix)), CANNED)
    answers = []
    for start in starts:
        ids = known[start : start + tokens]
        answers.append(json.dumps(answer(ids, known[start : start + prefix], tokenizer.decode(ids))).encode())
    asyncio.run(_answer_for_ever(pipe, answers))


async def _answer_for_ever(pipe: Connection, answers: Sequence[bytes]) -> None:
    count = 0

    async def complete(request: web.Request) -> web.Response:
        nonlocal count
        await request.read()
        count += 1
        return web.Response(body=answers[count % len(answers)], content_type="application/json")

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": MODEL, "max_model_len": 32768}]})

    async def health(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application(client_max_size=2**24)
    app.router.add_post("/v1/completions", complete)
    app.router.add_get("/v1/models", models)
    app.router.add_get("/health", health)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2 * IN_FLIGHT).start()
    pipe.send(runner.addresses[0][1])
    await asyncio.Event().wait()


@contextmanager
def _canned_server(tokens: int, prefix: int) -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(theirs, tokens, prefix), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        server.kill()
        server.join()


async def _drawn(sampler: Sampler, prefixes: Sequence[Sequence[int]], limits: Limits) -> int:
    places = asyncio.Semaphore(IN_FLIGHT // SIBLINGS)

    async def draw(prefix: Sequence[int]) -> int:
        async with places:
            rollouts = await sampler.draw(tuple(prefix), n=SIBLINGS, sampling=Sampling(), limits=limits)
            return sum(len(rollout.text) for rollout in rollouts)

    return sum(await asyncio.gather(*map(draw, prefixes)))


async def _rate(url: str, folder: str, *, tokens: int, prefix: int, rollouts: int, stop: tuple[str, ...]) -> float:
    tokenizer = HFTokenizer(embedded_model())
    known = _some_tokens(tokenizer)
    draw = random.Random(2)
    prefixes = [draw.choices(known, k=prefix) for _ in range((WARM_UP + rollouts) // SIBLINGS)]
    limits = Limits(max_tokens=tokens, stop=stop)
    worker = Worker(client=VLLMClient(url, model=MODEL, settings=ClientSettings()))
    async with Fleet([worker], FleetSettings()) as fleet:
        await fleet.model_info()
        pool = Pool(fleet, Slots(IN_FLIGHT), settings=RetrySettings())
        with Ledger(UPath(folder) / "warm_up") as ledger:
            sampler = Sampler(policy="benchmark", engine=pool, tokenizer=tokenizer, ledger=ledger)
            await _drawn(sampler, prefixes[: WARM_UP // SIBLINGS], limits)
        begun = time.process_time()
        with Ledger(UPath(folder) / "measured") as ledger:
            sampler = Sampler(policy="benchmark", engine=pool, tokenizer=tokenizer, ledger=ledger)
            await _drawn(sampler, prefixes[WARM_UP // SIBLINGS :], limits)
        return rollouts / (time.process_time() - begun)


async def _bare_rate(url: str, *, tokens: int, prefix: int, rollouts: int) -> float:
    content = {"model": MODEL, "prompt": list(range(1000, 1000 + prefix)), "max_tokens": tokens, "temperature": 1.0}
    places = asyncio.Semaphore(IN_FLIGHT)

    async def ask() -> int:
        async with places, session.post(f"{url}/v1/completions", json=content) as response:
            return len(json.loads(await response.read())["choices"][0]["token_ids"])

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(ask() for _ in range(WARM_UP)))
        begun = time.process_time()
        await asyncio.gather(*(ask() for _ in range(rollouts)))
        return rollouts / (time.process_time() - begun)


def client(tokens: int, prefix: int, *, rollouts: int = 2048, stop: tuple[str, ...] = ()) -> dict[str, float]:
    """Rollouts per CPU second of the client, and how many GPUs it then feeds at 3,000 tokens a second each.

    `bare` is the rate of aiohttp and `json` alone on the same answers: the yardstick of the machine.
    """
    with tempfile.TemporaryDirectory() as folder, _canned_server(tokens, prefix) as url:
        bare = asyncio.run(_bare_rate(url, tokens=tokens, prefix=prefix, rollouts=rollouts))
        rate = asyncio.run(_rate(url, folder, tokens=tokens, prefix=prefix, rollouts=rollouts, stop=stop))
    return {
        "rollouts_per_cpu_s": round(rate, 1),
        "bare": round(bare, 1),
        "over_bare": round(rate / bare, 3),
        "gpus_fed": round(rate * tokens / GPU_TOKENS_PER_S),
    }


def main() -> None:
    """Print the rates of rollouts of 2,000 tokens after short and long prefixes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=2048)
    arguments = parser.parse_args()
    short = client(2000, 200, rollouts=arguments.rollouts)
    stopped = client(2000, 200, rollouts=arguments.rollouts, stop=("\x07\x07",))
    long = client(2000, 4000, rollouts=arguments.rollouts)
    print(
        json.dumps(
            {
                "rollouts_per_cpu_s_2k": short["rollouts_per_cpu_s"],
                "rollouts_per_cpu_s_2k_prefix_4k": long["rollouts_per_cpu_s"],
                "rollouts_per_cpu_s_2k_stop": stopped["rollouts_per_cpu_s"],
                "over_bare_2k": short["over_bare"],
                "over_bare_2k_prefix_4k": long["over_bare"],
                "over_bare_2k_stop": stopped["over_bare"],
                "gpus_2k": short["gpus_fed"],
                "gpus_2k_prefix_4k": long["gpus_fed"],
            }
        )
    )


if __name__ == "__main__":
    main()
