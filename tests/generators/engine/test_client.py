import asyncio
from dataclasses import replace

import pytest

from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.errors import (
    EngineBusy,
    EngineErred,
    EngineMisconfigured,
    EngineUnavailable,
    EngineUnreadable,
    RequestRefused,
)
from generators.engine.protocol import Completion, Limits, Request, Sampling, Usage

SETTINGS = ClientSettings(connect_timeout_s=2, read_timeout_s=2, probe_timeout_s=2)
OK = {}


def error(status, message, kind="BadRequestError"):
    return status, {"error": {"message": message, "type": kind, "param": None, "code": status}}


def request(*, prefix=(5, 6, 7), n=1, stop=(), logprobs=False, temperature=0.7, max_tokens=8):
    return Request(
        prefix=tuple(prefix),
        sampling=Sampling(temperature=temperature, top_p=0.9, top_k=20),
        limits=Limits(max_tokens=max_tokens, stop=stop),
        seed=41,
        n=n,
        logprobs=logprobs,
    )


def client_of(server, *, model="policy", api_key=None, settings=SETTINGS):
    return VLLMClient(server.url, model=model, api_key=api_key, settings=settings)


def ask(stub_server, *script, asked=None, **client):
    async def one():
        async with stub_server(*script) as server, client_of(server, **client) as engine:
            return await engine.generate(asked or request()), server

    return asyncio.run(one())


def test_a_request_states_its_whole_law_whatever_the_model_folder_says(stub_server):
    _, server = ask(stub_server, asked=request(n=2, stop=("\n\n",), logprobs=True))
    assert server.asked == [
        {
            "model": "policy",
            "prompt": [5, 6, 7],
            "n": 2,
            "seed": 41,
            "temperature": 0.7,
            "top_p": 0.9,
            "top_k": 20,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "max_tokens": 8,
            "return_token_ids": True,
            "stop": ["\n\n"],
            "include_stop_str_in_output": True,
            "logprobs": 0,
        }
    ]


def test_excluded_ids_get_the_lowest_bias_that_the_server_takes(stub_server):
    law = Sampling(temperature=0.7, excluded=(7, 300))
    _, server = ask(stub_server, asked=replace(request(), sampling=law))
    assert server.asked[0]["logit_bias"] == {"7": -100.0, "300": -100.0}


def test_completions_come_back_as_ids_with_their_text_in_the_order_of_the_seeds(stub_server):
    generation, _ = ask(stub_server, asked=request(n=2, logprobs=True))
    logprobs = (-0.5, -0.25, 0.0)
    assert generation.completions == (
        Completion(token_ids=(10, 11, 2), text=" child 0", finish_reason="eos", logprobs=logprobs),
        Completion(token_ids=(11, 12, 2), text=" child 1", finish_reason="eos", logprobs=logprobs),
    )
    assert generation.usage == Usage(prompt=3, cached=0, generated=6)


@pytest.mark.parametrize(
    ("finish_reason", "stop_reason", "expected"),
    [("stop", None, "eos"), ("stop", 2, "eos"), ("stop", "\n", "stop"), ("length", None, "length")],
)
def test_finish_reasons_are_told_apart(stub_server, finish_reason, stop_reason, expected):
    answer = {"finish_reason": finish_reason, "stop_reason": stop_reason}
    generation, _ = ask(stub_server, answer, asked=request(stop=("\n",)))
    assert generation.completions[0].finish_reason == expected


def test_tokens_from_the_prefix_cache_are_counted(stub_server):
    body = {
        "choices": [{"index": 0, "text": "a", "token_ids": [9], "finish_reason": "length"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 2}},
    }
    generation, _ = ask(stub_server, (200, body))
    assert generation.usage == Usage(prompt=3, cached=2, generated=1)


def test_greedy_draws_are_made_once_and_given_n_times(stub_server):
    generation, server = ask(stub_server, asked=request(n=3, temperature=0.0))
    assert server.asked[0]["n"] == 1
    assert [c.token_ids for c in generation.completions] == [(10, 11, 2)] * 3


TOO_LONG = (
    "This model's maximum context length is 2048 tokens. However, your prompt contains 2050 input tokens, which "
    "exceeds this limit even without any output tokens. Please reduce the length of the input prompt."
)
FAILURES = [
    (error(400, TOO_LONG), RequestRefused, "3 tokens leaves no room"),
    (error(400, "bad top_p"), RequestRefused, "bad top_p"),
    (error(422, "bad field"), RequestRefused, "bad field"),
    ((401, {"error": "Unauthorized"}), EngineMisconfigured, "api_key_env"),
    ((403, "no"), EngineMisconfigured, "api_key"),
    (error(404, "Not Found"), EngineMisconfigured, "no /v1/completions"),
    (error(429, "slow down"), EngineBusy, "429: slow down"),
    (error(500, "EngineCore died"), EngineErred, "500: EngineCore died"),
    ((503, "gateway"), EngineErred, "503: gateway"),
    ((200, "{torn"), EngineUnreadable, "could not be read"),
    ((200, {"choices": []}), EngineUnreadable, "could not be read"),
    ((200, {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 0}}), EngineUnreadable, "got 0"),
    ({"finish_reason": "abort"}, EngineUnreadable, "abort"),
    ({"token_ids": None}, EngineMisconfigured, "return_token_ids"),
    ("close", EngineUnavailable, "connection failed"),
]


@pytest.mark.parametrize(("answer", "kind", "words"), FAILURES)
def test_a_failure_is_sorted_by_who_can_mend_it(stub_server, answer, kind, words):
    if words == "3 tokens leaves no room":
        answer = error(400, TOO_LONG.replace("2048", "3").replace("2050", "3"))
    with pytest.raises(kind, match=words) as caught:
        ask(stub_server, answer)
    assert type(caught.value) is kind


def test_a_prefix_that_fills_the_context_is_refused_in_numbers_once_the_context_is_known(stub_server):
    async def one():
        refusal = error(400, "max_tokens must be at least 1, got 0")
        async with stub_server(refusal, max_model_len=3) as server, client_of(server) as engine:
            assert (await engine.model_info()).max_model_len == 3
            with pytest.raises(RequestRefused, match=r"prefix of 3 tokens .* context of 3 tokens"):
                await engine.generate(request())

    asyncio.run(one())


def test_an_unknown_model_is_named_with_what_is_served(stub_server):
    with pytest.raises(EngineMisconfigured, match="'other', only policy"):
        ask(stub_server, error(404, "The model `other` does not exist."), model="other")


def test_the_key_travels_as_a_bearer(stub_server):
    _, server = ask(stub_server, api_key="s3cret")
    assert server.keys == ["Bearer s3cret"]


def test_a_refused_connection_is_unavailable(stub_server):
    async def one():
        async with stub_server() as server:
            pass
        async with client_of(server) as engine:
            await engine.generate(request())

    with pytest.raises(EngineUnavailable, match="connection failed"):
        asyncio.run(one())


def test_a_silent_server_is_given_up_after_the_read_timeout(stub_server):
    with pytest.raises(EngineUnavailable, match=r"no answer within 0.05 s \(read_timeout_s\)"):
        ask(stub_server, "hang", settings=ClientSettings(read_timeout_s=0.05))


def test_cancelling_a_call_disconnects_it(stub_server):
    async def one():
        async with stub_server("hang") as server, client_of(server) as engine:
            call = asyncio.create_task(engine.generate(request()))
            await server.arrived.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await asyncio.wait_for(server.disconnected.wait(), 5)

    asyncio.run(one())


def test_many_calls_are_under_way_at_once(stub_server):
    async def one():
        async with stub_server() as server, client_of(server) as engine:
            server.always = "hang"
            calls = [asyncio.create_task(engine.generate(request())) for _ in range(150)]
            while len(server.asked) < 150:
                await server.arrived.wait()
                server.arrived.clear()
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    asyncio.run(one())


def test_generated_tokens_are_summed_over_engines_and_none_where_they_are_not_offered(stub_server):
    async def one(metrics):
        async with stub_server(metrics=metrics) as server, client_of(server) as engine:
            server.tokens = 7.0
            return await engine.generated_tokens()

    assert asyncio.run(one(True)) == 21.0
    assert asyncio.run(one(False)) is None


async def checked(stub_server, *, health, readiness):
    async with stub_server() as server, client_of(server) as engine:
        server.health, server.readiness = health, readiness
        await engine.check()


@pytest.mark.parametrize(("health", "readiness"), [(503, 404), (503, 503)])
def test_a_server_without_a_living_engine_fails_the_check(stub_server, health, readiness):
    with pytest.raises(EngineUnavailable, match=str(health)):
        asyncio.run(checked(stub_server, health=health, readiness=readiness))


@pytest.mark.parametrize(("health", "readiness"), [(200, 404), (503, 200)])
def test_a_living_server_passes_the_check_and_so_does_a_router_with_a_replica_left(stub_server, health, readiness):
    asyncio.run(checked(stub_server, health=health, readiness=readiness))


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host", "http://"])
def test_an_address_without_scheme_or_host_is_refused_at_once(url):
    with pytest.raises(ValueError, match="url must be"):
        VLLMClient(url, model="policy", settings=SETTINGS)


def test_an_address_may_end_in_v1():
    assert VLLMClient("http://host:8000/v1/", model="policy", settings=SETTINGS).url == "http://host:8000"


def test_times_must_be_positive():
    with pytest.raises(ValueError, match="read_timeout_s must be above 0, got 0"):
        ClientSettings(read_timeout_s=0)
