"""Servers that refuse, err or answer nonsense, over real sockets: what a fleet and its pool make of them."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from benchmarks.backpressure import MODEL, RefusingServer
from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.errors import EngineLost
from generators.engine.fleet import Fleet, FleetSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.slots import Slots
from generators.engine.worker import Worker
from tests.generators.engine.test_client import request

PATIENT = FleetSettings(stall_s=30, max_restarts=2, give_up_s=30, poll_s=0.01)
SHORT = replace(PATIENT, give_up_s=0.4)
QUICK = RetrySettings(first_wait_s=0.001, max_wait_s=0.01, first_busy_wait_s=0.001, max_busy_wait_s=0.05)
PERSISTENT = replace(QUICK, max_tries=10_000)
BUSY = (429, "too many requests")
TORN = (200, '{"choices": [{"index')
NO_USAGE = (200, {"choices": [{"index": 0, "text": "a", "token_ids": [9], "finish_reason": "length"}]})
NO_REASON = {"finish_reason": None}
NO_CHOICES = (200, {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 0}})


class Run:
    """A pool over a fleet of attached servers, and its workers."""

    def __init__(self, *servers, model="policy", settings=PATIENT, retries=QUICK, capacity=16):
        clients = [VLLMClient(server.url, model=model, settings=ClientSettings()) for server in servers]
        self.workers = [Worker(client=client) for client in clients]
        self.fleet = Fleet(self.workers, settings)
        self.pool = Pool(self.fleet, Slots(capacity), settings=retries)

    async def __aenter__(self):
        await self.fleet.__aenter__()
        return self

    async def __aexit__(self, *exc_info):
        await self.fleet.__aexit__(*exc_info)

    async def all(self, count):
        async with asyncio.timeout(20):
            asked = (replace(request(), seed=number) for number in range(count))
            return await asyncio.gather(*map(self.pool.generate, asked))


def run(coroutine):
    return asyncio.run(coroutine)


@pytest.mark.parametrize(
    "answer", [BUSY, (503, "full", {"Retry-After": "0"}), TORN, NO_USAGE, (500, "no"), (502, "<html>")]
)
def test_a_few_useless_answers_amid_good_ones_are_asked_again_and_take_no_server_out(stub_server, answer):
    async def main():
        script = [answer if number % 5 == 0 else {} for number in range(100)]
        async with stub_server(*script) as server, Run(server) as engine:
            done = await engine.all(100)
            return len(done), engine.pool.retries, server.probes, engine.workers[0].up

    assert run(main()) == (100, 20, 0, True)


def test_a_busy_server_is_not_asked_before_it_said(stub_server):
    async def main():
        async with stub_server((429, "later", {"Retry-After": "1"})) as server, Run(server) as engine:
            began = asyncio.get_running_loop().time()
            await engine.all(1)
            return asyncio.get_running_loop().time() - began

    assert run(main()) >= 1.0


def test_a_server_with_room_for_few_is_given_few():
    async def main():
        server = RefusingServer(seconds=0.005, room=4)
        async with server, Run(server, model=MODEL, capacity=64) as engine:
            done = await engine.all(400)
            return len(done), engine.workers[0].window.limit

    done, limit = run(main())
    assert done == 400
    assert limit < 64  # the pool would have it


def test_a_server_that_is_busy_for_ever_ends_the_run_in_a_clear_sentence(stub_server):
    async def main():
        async with stub_server() as server, Run(server, settings=SHORT) as engine:
            server.always = BUSY
            with pytest.raises(EngineLost) as lost:
                await engine.all(50)
            return str(lost.value), server.url

    sentence, url = run(main())
    assert sentence == (
        f"no engine took a request for 0.4 s (give_up_s): the attached server at {url}: {url} answered 429: too many "
        "requests: lower in_flight, or let the server take more requests at once"
    )


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (TORN, "could not be read"),
        (NO_USAGE, """it began with '{"choices": [{"index": 0"""),
        (NO_REASON, "finish_reason None"),
        (NO_CHOICES, """it began with '{"choices": []"""),
        ((200, "<html>sign in</html>"), "it began with '<html>sign in</html>'"),
        ((200, ""), "it was empty"),
    ],
)
@pytest.mark.parametrize("retries", [QUICK, PERSISTENT])
def test_a_server_that_answers_nothing_of_use_ends_the_run_with_its_name_and_what_it_said(
    stub_server, answer, trouble, retries
):
    async def main():
        script = [{}] * 20
        async with stub_server(*script) as server, Run(server, settings=SHORT, retries=retries) as engine:
            await engine.all(20)
            server.always = answer
            with pytest.raises(EngineLost) as lost:
                await engine.all(40)
            return str(lost.value), server.url

    sentence, url = run(main())
    assert trouble in sentence and url in sentence
    gave_up = "no engine gave an answer of use for 0.4 s (give_up_s)"
    assert sentence.startswith(gave_up if retries is PERSISTENT else (gave_up, "the engine failed 8 times in a row"))


def test_a_server_of_nonsense_beside_a_good_one_costs_no_request(stub_server):
    async def main():
        async with AsyncExitStack() as stack:
            good, ill = [await stack.enter_async_context(stub_server()) for _ in range(2)]
            ill.always = TORN
            async with Run(good, ill) as engine:
                done = await engine.all(200)
            return len(done), len(good.asked), len(ill.asked)

    done, good, ill = run(main())
    assert (done, good) == (200, 200)
    assert ill < 100


def test_a_request_at_work_is_an_answer_to_come_however_many_are_refused_beside_it(stub_server):
    async def main():
        async with stub_server("hang") as server, Run(server, settings=replace(SHORT, stall_s=30)) as engine:
            at_work = asyncio.create_task(engine.pool.generate(request()))
            await server.arrived.wait()
            await asyncio.sleep(1.1)  # longer than a refusal takes
            server.always = BUSY
            refused = asyncio.create_task(engine.all(3))
            done, _ = await asyncio.wait([at_work, refused], timeout=1.0)  # more than twice give_up_s
            at_work.cancel()
            server.always = None
            await refused
            return len(done)

    assert run(main()) == 0


def test_refusals_do_not_hide_that_what_was_taken_stalls(stub_server):
    async def main():
        settings = replace(PATIENT, stall_s=0.3, max_restarts=0)
        async with stub_server("hang", metrics=False) as server, Run(server, settings=settings) as engine:
            at_work = asyncio.create_task(engine.pool.generate(request()))
            await server.arrived.wait()
            server.always = BUSY
            with pytest.raises(EngineLost, match=r"none finished and no token came for 0.3 s"):
                await engine.all(2)
            await asyncio.gather(at_work, return_exceptions=True)

    run(main())


def test_an_idle_server_that_refused_long_ago_is_not_given_up(stub_server):
    async def main():
        async with stub_server() as server, Run(server, settings=SHORT) as engine:
            worker = engine.workers[0]
            server.always = BUSY
            call = asyncio.create_task(engine.pool.generate(request()))
            await server.arrived.wait()
            await asyncio.sleep(0.05)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            worker._useless_at -= 100  # as if a hundred seconds had passed
            await asyncio.sleep(0.6)
            server.always = None
            return len(await engine.all(1))

    assert run(main()) == 1


def test_a_server_that_is_busy_with_its_list_of_models_is_waited_for(stub_server):
    async def main():
        async with stub_server() as server, Run(server) as engine:
            server.busy_lists = 2
            return (await engine.fleet.model_info()).max_model_len

    assert run(main()) == 64
