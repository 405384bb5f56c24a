"""A real router process before two policy servers: what begins alike goes to one, and a lost one costs no request."""

import asyncio
import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import aiohttp
import pytest

from benchmarks.router_affinity import DEPLOYED, Load, measured, requests
from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.protocol import Limits, Request, Sampling
from generators.engine.simulated.policy import SimulatedPolicy
from tests.deployment.policy_server import PolicyServer
from tests.deployment.router import IS_INSTALLED, Router

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="vllm-router is not installed (extra `router`)")


@pytest.fixture
def site(tmp_path):
    with ExitStack() as stack:
        replicas = []
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            replicas.append(stack.enter_context(PolicyServer(tmp_path / name, seconds_per_token=0.002)))
        yield stack.enter_context(Router(tmp_path, [one.url for one in replicas], *DEPLOYED)), replicas


def request_of(problem, seed):
    policy = SimulatedPolicy()
    prefix = policy.tokenizer.chat([{"role": "user", "content": policy.problem(problem).prompt}])
    return Request(prefix=prefix, sampling=Sampling(), limits=Limits(max_tokens=300), seed=seed, logprobs=True)


async def answered(url, requests):
    """The completions of some requests, all in flight at once."""
    async with VLLMClient(url, model="simulated", settings=ClientSettings()) as client:
        return [one.completions[0] for one in await asyncio.gather(*map(client.generate, requests))]


def test_an_answer_through_the_router_is_the_replicas_own_to_the_last_token(site):
    router, replicas = site
    asked = [request_of(number, seed=2**62 + number) for number in range(4)]
    assert asyncio.run(answered(router.url, asked)) == asyncio.run(answered(replicas[0].url, asked))


def test_a_replica_that_is_killed_costs_no_request(site):
    router, replicas = site
    asked = [request_of(number % 8, seed=number) for number in range(64)]
    asyncio.run(answered(router.url, asked))
    assert all(one.drawn() for one in replicas)
    replicas[0].kill()
    again = [request_of(number % 8, seed=1_000 + number) for number in range(64)]
    assert len(asyncio.run(answered(router.url, again))) == 64
    assert json.load(urlopen(f"{router.url}/readiness"))["status"] == "ready"
    while status_of(f"{router.url}/health") != 503:  # until the router has noticed
        time.sleep(0.1)
    asyncio.run(checked(router.url))


def status_of(url):
    try:
        return urlopen(url).status
    except HTTPError as error:
        return error.code


async def checked(url):
    async with VLLMClient(url, model="simulated", settings=ClientSettings()) as client:
        await client.check()


def test_a_request_that_is_cancelled_is_cancelled_on_its_replica(site):
    router, replicas = site

    async def cancelled():
        task = asyncio.create_task(answered(router.url, [request_of(0, seed=seed) for seed in range(8)]))
        await _reached(replicas, 8)
        task.cancel()
        await _reached(replicas, 0)

    asyncio.run(cancelled())
    assert [one.drawn() for one in replicas] == [[], []]


async def _reached(replicas, running):
    while True:
        if await _running(replicas) == running:
            return
        await asyncio.sleep(0.01)


async def _running(replicas):
    found = 0
    async with aiohttp.ClientSession() as session:
        for one in replicas:
            async with session.get(f"{one.url}/metrics") as answer:
                lines = (await answer.text()).splitlines()
            found += sum(int(float(line.split()[-1])) for line in lines if line.startswith("vllm:num_requests_running"))
    return found


def test_prefixes_are_found_as_by_one_server_with_the_cache_of_all():
    load = Load(problems=16, rollouts=3, in_flight=32, cache=2_048)

    async def shares():
        rollouts = await requests(load)
        evenly = await measured(load, rollouts, 4, Path(sys.executable), ("--policy=round_robin",))
        deployed = await measured(load, rollouts, 4, Path(sys.executable), DEPLOYED)
        return evenly, deployed

    evenly, deployed = asyncio.run(shares())
    assert deployed["cached"] > evenly["cached"] + 0.15
    assert deployed["busiest"] < 0.4
