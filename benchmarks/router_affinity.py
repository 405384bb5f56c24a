"""Measures how many prompt tokens replicas find in their prefix caches, by what shares the requests out among them.

Replicas are simulated servers on loopback, which report cached tokens as vLLM does; the router is a real process of
vllm-router, which the Python at `--router-python` has. The load is that of step labels: of every problem one solution,
and from the end of each of its steps some rollouts, sixteen problems side by side. Compared are one server with the
cache of all replicas (no arrangement can find more), the client's own choice among several URLs, and the router's
policies; `deployed` has the options of deploy/. The last line is JSON.
"""

import argparse
import asyncio
import json
import random
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import aiohttp

from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.fleet import Fleet, FleetSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Limits, Request, Sampling
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.server import MODEL, SimulatedServer
from generators.engine.simulated.statement import SimulatedProblems
from generators.engine.simulated.vocabulary import NEWLINE
from generators.engine.slots import Slots
from generators.engine.worker import Worker

START_S = 120.0
BLOCK = 16  # tokens, as in vLLM
WINDOW = 16  # problems side by side
SAMPLING = Sampling()
# A prompt's template alone must not decide, and no replica may have half as much again in flight as another.
DEPLOYED = (
    "--policy=cache_aware",
    "--cache-threshold=0.7",
    "--balance-abs-threshold=8",
    "--health-check-interval-secs=10",
)
ROUTED: dict[str, Sequence[str]] = {
    "round_robin": ("--policy", "round_robin"),
    "consistent_hash": ("--policy", "consistent_hash"),
    "cache_aware": ("--policy", "cache_aware"),
    "deployed": DEPLOYED,
}


@dataclass(frozen=True, slots=True)
class Load:
    """How many problems, rollouts from the end of each step, sequences in flight, and cached tokens of a replica."""

    problems: int
    rollouts: int
    in_flight: int
    cache: int


def new_policy(cache: int) -> SimulatedPolicy:
    """A replica with an empty cache of that many tokens, whose problems have up to 24 steps."""
    return SimulatedPolicy(
        problems=SimulatedProblems(min_steps=12, max_steps=24),
        seconds_per_token=0.001,
        cache_block=BLOCK,
        cached_blocks=cache // BLOCK,
        keeps_log=False,
    )


async def requests(load: Load) -> list[Request]:
    """Rollouts from each prompt and each step of one solution, in a random order: searches do not go step by step."""
    policy = new_policy(load.cache)
    found: list[list[Request]] = []
    for number in range(load.problems):
        prompt = policy.tokenizer.chat([{"role": "user", "content": policy.problem(number).prompt}])
        whole = Request(prefix=prompt, sampling=SAMPLING, limits=Limits(max_tokens=600), seed=number)
        solution = tuple((await policy.generate(whole)).completions[0].token_ids)
        ends = [0, *(end for end, token in enumerate(solution, start=1) if token == NEWLINE)]
        prefixes = [prompt + solution[:end] for end in ends if end < len(solution) - 4]
        limits = Limits(max_tokens=200)
        found.append(
            [
                Request(prefix=prefix, sampling=SAMPLING, limits=limits, seed=1_000 * index + step)
                for step, prefix in enumerate(prefixes)
                for index in range(load.rollouts)
            ]
        )
    draw = random.Random(0)
    windows = [list(chain.from_iterable(found[start : start + WINDOW])) for start in range(0, len(found), WINDOW)]
    return [request for window in windows for request in draw.sample(window, len(window))]


@asynccontextmanager
async def router(python: Path, urls: Sequence[str], options: Sequence[str]) -> AsyncIterator[str]:
    """The URL of a router process before `urls`; raises RuntimeError if it does not start."""
    port, metrics = _free_port(), _free_port()
    command = [python, "-m", "vllm_router.launch_router", "--port", port, "--prometheus-port", metrics]
    command += ["--worker-startup-check-interval", 1, "--worker-urls", *urls, *options]
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(*map(str, command), stdout=log, stderr=log)
        try:
            await _answering(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _answering(url: str, process: asyncio.subprocess.Process) -> None:
    deadline = time.monotonic() + START_S
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < deadline and process.returncode is None:
            try:
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:  # it does not listen yet
                pass
            await asyncio.sleep(0.2)
    raise RuntimeError(f"no router answered at {url} within {START_S:g} s: is vllm-router installed in that Python?")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def measured(
    load: Load, rollouts: Sequence[Request], replicas: int, python: Path | None, options: Sequence[str]
) -> dict[str, float]:
    """The share of prompt tokens that was cached, and the share of all sequences that the busiest replica had."""
    async with AsyncExitStack() as stack:
        policies = [new_policy(load.cache) for _ in range(replicas)]
        urls = [(await stack.enter_async_context(SimulatedServer(policy))).url for policy in policies]
        if python is not None:
            urls = [await stack.enter_async_context(router(python, urls, options))]
        workers = [Worker(client=VLLMClient(url, model=MODEL, settings=ClientSettings())) for url in urls]
        fleet = await stack.enter_async_context(Fleet(workers, FleetSettings()))
        pool = Pool(fleet, Slots(load.in_flight), settings=RetrySettings())
        await asyncio.gather(*(pool.generate(request) for request in rollouts))
    prompt = sum(policy.counts.prompt_tokens for policy in policies)
    sequences = [policy.counts.sequences for policy in policies]
    cached = sum(policy.counts.cached_tokens for policy in policies)
    return {"cached": round(cached / prompt, 3), "busiest": round(max(sequences) / sum(sequences), 3)}


async def compare(load: Load, replicas: int, python: Path) -> dict[str, dict[str, float]]:
    """Every arrangement under the same load."""
    rollouts = await requests(load)
    whole = replace(load, cache=load.cache * replicas)
    results = {"one_server": await measured(whole, rollouts, 1, None, ())}
    results["urls"] = await measured(load, rollouts, replicas, None, ())
    for name, options in ROUTED.items():
        results[name] = await measured(load, rollouts, replicas, python, options)
    return results


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=48)
    parser.add_argument("--rollouts", type=int, default=4, help="from the end of each step")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--cache", type=int, default=4_096, help="tokens that the cache of a replica holds")
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--router-python", type=Path, default=Path(sys.executable), help="a Python with vllm-router")
    options = parser.parse_args(arguments)
    load = Load(options.problems, options.rollouts, options.in_flight, options.cache)
    results = asyncio.run(compare(load, options.replicas, options.router_python))
    for name, figures in results.items():
        print(f"{name:18} cached {figures['cached']:.1%}, busiest replica {figures['busiest']:.1%}")
    print(json.dumps({"replicas": options.replicas} | results))


if __name__ == "__main__":
    main()
