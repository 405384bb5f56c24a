import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager

import aiohttp
import pytest

from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.protocol import Limits, Request, Sampling
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.server import SimulatedServer
from generators.engine.simulated.vocabulary import ADDING, FILLERS

FRESH = SimulatedPolicy()
START = FRESH.tokenizer.chat([{"role": "user", "content": FRESH.problem(0).prompt}])


def body(**fields):
    standing = {"model": "simulated", "prompt": list(START), "max_tokens": 500, "seed": 5, "return_token_ids": True}
    return standing | fields


async def post(session, server, **fields):
    async with session.post(f"{server.url}/v1/completions", json=body(**fields)) as response:
        return response.status, await response.json()


@asynccontextmanager
async def serving(policy=None, **settings):
    async with SimulatedServer(policy or SimulatedPolicy(), **settings) as server, aiohttp.ClientSession() as session:
        yield server, session


def test_the_server_says_what_the_policy_says_in_process():
    async def scenario():
        async with serving() as (server, session):
            request = Request(
                prefix=START, sampling=Sampling(), limits=Limits(max_tokens=60), seed=5, n=6, logprobs=True
            )
            wanted = await SimulatedPolicy().generate(request)
            status, answer = await post(session, server, n=6, max_tokens=60, logprobs=0)
            assert status == 200
            for choice, completion in zip(answer["choices"], wanted.completions, strict=True):
                assert tuple(choice["token_ids"]) == completion.token_ids
                assert choice["text"] == completion.text
                assert tuple(choice["logprobs"]["token_logprobs"]) == completion.logprobs
                assert "".join(choice["logprobs"]["tokens"]) == completion.text
                assert choice["stop_reason"] is None
                assert choice["finish_reason"] == ("length" if completion.finish_reason == "length" else "stop")
            assert [choice["index"] for choice in answer["choices"]] == list(range(6))
            assert answer["usage"]["prompt_tokens"] == len(START)
            assert answer["usage"]["completion_tokens"] == wanted.usage.generated

    asyncio.run(scenario())


def test_the_house_client_reads_its_answers():
    async def scenario():
        policy = SimulatedPolicy()
        async with (
            SimulatedServer(policy) as server,
            VLLMClient(server.url, model="simulated", settings=ClientSettings()) as client,
        ):
            limits = Limits(max_tokens=500, stop=("\n",))
            request = Request(prefix=START, sampling=Sampling(), limits=limits, seed=5, n=3, logprobs=True)
            assert await client.generate(request) == await SimulatedPolicy().generate(request)
            assert (await client.model_info()).max_model_len == policy.max_model_len
            assert await client.generated_tokens() == policy.counts.generated_tokens

    asyncio.run(scenario())


def test_excluded_ids_travel_to_the_law():
    async def scenario():
        async with (
            SimulatedServer(SimulatedPolicy()) as server,
            VLLMClient(server.url, model="simulated", settings=ClientSettings()) as client,
        ):
            law = Sampling(excluded=(ADDING, FILLERS[0]))
            request = Request(prefix=START, sampling=law, limits=Limits(max_tokens=40), seed=5, n=4)
            generation = await client.generate(request)
            assert generation == await SimulatedPolicy().generate(request)
            assert not {ADDING, FILLERS[0]} & {one for each in generation.completions for one in each.token_ids}

    asyncio.run(scenario())


@pytest.mark.parametrize(("included", "ending"), [(True, "\n"), (False, "")])
def test_a_stop_string_is_named_and_kept_only_when_asked(included, ending):
    async def scenario():
        async with serving() as (server, session):
            _, answer = await post(session, server, stop="\n", include_stop_str_in_output=included)
            (choice,) = answer["choices"]
            whole = FRESH.tokenizer.decode(choice["token_ids"])
            assert choice["text"] == whole.removesuffix("\n") + ending
            assert (choice["finish_reason"], choice["stop_reason"]) == ("stop", "\n")

    asyncio.run(scenario())


def test_the_second_request_for_a_prefix_finds_it_in_the_cache():
    async def scenario():
        async with serving() as (server, session):
            cached = [
                (await post(session, server))[1]["usage"]["prompt_tokens_details"]["cached_tokens"] for _ in range(2)
            ]
            assert cached == [0, (len(START) - 1) // 32 * 32]

    asyncio.run(scenario())


def test_health_models_and_metrics_tell_the_state():
    async def scenario():
        async with serving(SimulatedPolicy(max_model_len=300), model="mine") as (server, session):
            _, answer = await post(session, server, model="mine", n=2)
            async with session.get(f"{server.url}/health") as response:
                assert response.status == 200
            async with session.get(f"{server.url}/v1/models") as response:
                (card,) = (await response.json())["data"]
            assert (card["id"], card["max_model_len"]) == ("mine", 300)
            async with session.get(f"{server.url}/metrics") as response:
                metrics = await response.text()
            tokens = float(answer["usage"]["completion_tokens"])
            assert f'vllm:generation_tokens_total{{engine="0",model_name="mine"}} {tokens}' in metrics
            async with session.get(f"{server.url}/simulated/drawn") as response:
                assert [tuple(draw) for draw in await response.json()] == server.policy.drawn

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("fields", "status", "kind", "param"),
    [
        ({"model": "other"}, 404, "NotFoundError", "model"),
        ({"prompt": list(START) * 200}, 400, "BadRequestError", "input_tokens"),
        ({"prompt": [START[0]]}, 400, "BadRequestError", "input_tokens"),
        ({"prompt": None}, 400, "BadRequestError", "prompt.str"),
        ({"max_tokens": 0}, 400, "BadRequestError", "max_tokens"),
        ({"n": 0}, 400, "BadRequestError", "n"),
        ({"seed": 2**63}, 400, "BadRequestError", "seed"),
        ({"stop": ["é"]}, 400, "BadRequestError", None),
        ({"stream": True}, 400, "BadRequestError", "stream"),
        ({"echo": True}, 400, "BadRequestError", "echo"),
        ({"logprobs": 3}, 400, "BadRequestError", "logprobs"),
        ({"logit_bias": {"5": -50}}, 400, "BadRequestError", "logit_bias"),
    ],
)
def test_a_bad_request_is_answered_with_its_fault(fields, status, kind, param):
    async def scenario():
        async with serving() as (server, session):
            code, answer = await post(session, server, **fields)
            error = answer["error"]
            assert (code, error["code"], error["type"], error["param"]) == (status, status, kind, param)
            assert error["message"]

    asyncio.run(scenario())


def test_a_body_that_is_not_json_is_answered_with_its_fault():
    async def scenario():
        async with (
            serving() as (server, session),
            session.post(f"{server.url}/v1/completions", data=b"{") as response,
        ):
            assert response.status == 400
            assert "not JSON" in (await response.json())["error"]["message"]

    asyncio.run(scenario())


def test_a_key_is_asked_for_below_v1_only():
    async def scenario():
        async with serving(api_key="secret") as (server, session):
            assert (await post(session, server))[0] == 401
            async with session.get(f"{server.url}/health") as response:
                assert response.status == 200
            session.headers["Authorization"] = "Bearer secret"
            assert (await post(session, server))[0] == 200

    asyncio.run(scenario())


def test_a_request_without_a_seed_draws_its_own():
    async def scenario():
        async with serving() as (server, session):
            texts = {(await post(session, server, seed=None))[1]["choices"][0]["text"] for _ in range(3)}
            assert len(texts) > 1

    asyncio.run(scenario())


def test_a_client_that_leaves_aborts_its_request():
    async def scenario():
        async with serving(SimulatedPolicy(seconds_per_token=60.0)) as (server, session):
            asking = asyncio.create_task(post(session, server, n=3))
            await server.policy.reached(lambda counts: counts.running == 3)
            asking.cancel()
            await server.policy.reached(lambda counts: counts.aborted == 3)
            assert (server.policy.counts.running, server.policy.drawn) == (0, [])

    asyncio.run(scenario())


def test_a_stalled_server_accepts_and_answers_when_it_resumes():
    async def scenario():
        async with serving() as (server, session):
            server.policy.faults.stall()
            asking = asyncio.create_task(post(session, server))
            await server.policy.reached(lambda counts: counts.running == 1)
            async with session.get(f"{server.url}/health") as response:
                assert response.status == 200
            assert not asking.done()
            server.policy.faults.resume()
            assert (await asking)[0] == 200

    asyncio.run(scenario())


def test_a_dying_server_resets_connections_and_comes_back_at_its_address():
    async def scenario():
        async with serving() as (server, session):
            address = server.url
            server.policy.faults.stall()
            asking = asyncio.create_task(post(session, server))
            await server.policy.reached(lambda counts: counts.running == 1)
            await server.die()
            with pytest.raises(aiohttp.ClientError):
                await asking
            with pytest.raises(aiohttp.ClientConnectorError):
                await post(session, server)
            await server.restart()
            assert server.url == address
            assert (await post(session, server))[0] == 200

    asyncio.run(scenario())


def test_a_dead_engine_behind_a_living_server_is_a_server_error():
    async def scenario():
        async with serving() as (server, session):
            server.policy.faults.die()
            status, answer = await post(session, server)
            assert (status, answer["error"]["type"]) == (500, "InternalServerError")
            async with session.get(f"{server.url}/health") as response:
                assert response.status == 503

    asyncio.run(scenario())


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_the_server_runs_as_a_process_that_can_be_ended(name):
    async def scenario():
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "generators.engine.simulated.server", "--model", "mine"),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().split()[-1]
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{url}/v1/completions", json=body(model="mine")) as response:
                assert (await response.json())["choices"][0]["token_ids"]
            os.kill(process.pid, getattr(signal, name))
            assert await process.wait() == (0 if name == "SIGTERM" else -signal.SIGKILL)
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.get(f"{url}/health")

    asyncio.run(scenario())
