import asyncio
import re
from functools import cache
from urllib.request import urlopen

import pytest

from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.embedded import embedded_model
from generators.engine.errors import EngineMisconfigured, RequestRefused
from generators.engine.fingerprint import MOST_NOISE, distance, fingerprint, probe_of
from generators.engine.protocol import Limits, Request, Sampling
from generators.engine.tokenizer import HFTokenizer

pytestmark = pytest.mark.engine


@cache
def tokenizer():
    return HFTokenizer(embedded_model())


@cache
def counting():
    return tokenizer().chat([{"role": "user", "content": "Count from one to ten, one number a line."}])


def request(max_tokens=24, prefix=None, seed=5, **rest):
    stop = rest.pop("stop", ())
    limits = Limits(max_tokens=max_tokens, stop=stop)
    return Request(prefix=prefix or counting(), sampling=Sampling(temperature=1.0), limits=limits, seed=seed, **rest)


async def until(condition):
    """Wait until a condition that blocks for a moment holds; TimeoutError after ten seconds."""
    async with asyncio.timeout(10):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - the server offers nothing to wait on
            await asyncio.sleep(0.05)


def client_of(server, model=None):
    settings = ClientSettings()
    return VLLMClient(server.url, model=model or server.model_name, api_key=server.api_key, settings=settings)


def ask(server, *requests, model=None):
    async def run():
        async with client_of(server, model) as client:
            await client.model_info()
            return [await client.generate(one) for one in requests]

    return asyncio.run(run())


def test_child_i_of_n_is_what_its_own_seed_gives_alone(policy_server):
    together, *alone = ask(policy_server, request(n=3), *(request(seed=5 + child) for child in range(3)))
    assert together.completions == tuple(one.completions[0] for one in alone)


def test_a_completion_goes_on_from_its_own_tokens_as_text_and_ids_agree(policy_server):
    (whole,) = ask(policy_server, request(max_tokens=16))
    ids = whole.completions[0].token_ids
    assert tokenizer().decode(ids) == whole.completions[0].text
    (rest,) = ask(policy_server, request(max_tokens=8, prefix=counting() + ids))
    assert len(rest.completions[0].token_ids) <= 8


def test_a_completion_ends_with_the_token_that_completes_a_stop_string(policy_server):
    (stopped,) = ask(policy_server, request(max_tokens=64, stop=(" ",)))
    (completion,) = stopped.completions
    assert completion.finish_reason == "stop"
    assert " " in tokenizer().piece(completion.token_ids[-1])
    assert " " not in tokenizer().decode(completion.token_ids[:-1])


def test_log_probabilities_come_one_a_token_when_asked_for(policy_server):
    plain, asked = ask(policy_server, request(), request(logprobs=True))
    assert plain.completions[0].logprobs is None
    assert len(asked.completions[0].logprobs) == len(asked.completions[0].token_ids)
    assert all(logprob <= 0 for logprob in asked.completions[0].logprobs)


def test_a_prefix_is_found_in_the_cache_the_second_time(policy_server):
    prefix = counting() * 8
    ask(policy_server, request(prefix=prefix))
    (again,) = ask(policy_server, request(prefix=prefix, seed=6))
    assert again.usage.cached > again.usage.prompt / 2


def test_a_prefix_beyond_the_context_is_refused_with_both_lengths(policy_server):
    with pytest.raises(RequestRefused, match="2048"):
        ask(policy_server, request(prefix=counting() * 100))


def test_an_unknown_model_is_named_beside_the_one_that_is_served(policy_server):
    with pytest.raises(EngineMisconfigured, match=policy_server.model_name):
        ask(policy_server, request(), model="no-such-model")


def test_its_weights_are_recognised_whatever_else_it_works_on(policy_server):
    async def run():
        async with policy_server.client() as client:
            alone = await fingerprint(client, probe_of(tokenizer()))
            work = [asyncio.create_task(client.generate(request(max_tokens=200, seed=seed))) for seed in range(8)]
            loaded = await fingerprint(client, probe_of(tokenizer()))
            for call in work:
                call.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            return distance(alone, loaded)

    assert asyncio.run(run()) < MOST_NOISE / 5  # float32


def test_a_cancelled_call_is_aborted_on_the_server(policy_server):
    def running():
        metrics = urlopen(f"{policy_server.url}/metrics", timeout=10).read().decode()
        return sum(float(n) for n in re.findall(r"^vllm:num_requests_running\S* (\S+)$", metrics, re.MULTILINE))

    async def run():
        async with policy_server.client() as client:
            call = asyncio.create_task(client.generate(request(max_tokens=1500, n=4)))
            await until(lambda: running() > 0)
            call.cancel()
            await until(lambda: running() == 0)

    asyncio.run(run())
