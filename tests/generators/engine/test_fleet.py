import asyncio
import threading
import time

import pytest

from generators.engine.client import ClientSettings, ModelInfo, VLLMClient
from generators.engine.errors import EngineLost, EngineMisconfigured, EngineUnavailable, RequestRefused
from generators.engine.fleet import Fleet, FleetSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Completion, Generation, Limits, Request, Sampling
from generators.engine.slots import Slots
from generators.engine.worker import Worker

FAST = FleetSettings(stall_s=0.2, max_restarts=2, give_up_s=0.3, poll_s=0.01)
PATIENT = FleetSettings(stall_s=30, max_restarts=2, give_up_s=30, poll_s=0.01)
DONE = Generation(completions=(Completion(token_ids=(2,), text="", finish_reason="eos"),))


def request(n=1):
    return Request(prefix=(1,), sampling=Sampling(), limits=Limits(max_tokens=4), seed=0, n=n)


class FakeClient:
    """Answers, raises, or hangs until the gate opens, as `mood` says; with `counts` each reading finds new tokens."""

    def __init__(self, mood="answers", *, counts=False, max_model_len=100):
        self.url = "http://fake"
        self.mood = mood
        self.counts = counts
        self.max_model_len = max_model_len
        self.gate = asyncio.Event()
        self.at_gate = None
        self.arrived = asyncio.Event()
        self.calls = 0
        self.cancelled = 0
        self.checks = 0
        self._tokens = 0.0

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc_info):
        pass

    async def generate(self, asked):
        self.calls += 1
        self.arrived.set()
        if isinstance(self.mood, Exception):
            raise self.mood
        if self.mood == "hangs":
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            if self.at_gate is not None:
                raise self.at_gate
        return DONE

    async def check(self):
        self.checks += 1
        await self.model_info()

    async def model_info(self):
        if isinstance(self.mood, Exception):
            raise self.mood
        return ModelInfo(name="policy", max_model_len=self.max_model_len)

    async def generated_tokens(self):
        self._tokens += self.counts
        return self._tokens


class FakeServer:
    """A process that is dead or alive; `on_restart` runs in the restarting thread."""

    def __init__(self, on_restart):
        self.url = "http://fake"
        self.alive = True
        self.restarts = 0
        self._on_restart = on_restart

    def is_alive(self):
        return self.alive

    def restart(self):
        self.restarts += 1
        self._on_restart(self)
        self.alive = True

    def describe(self):
        return "the local server (log: run/server.log)"


def fleet(*workers, settings=FAST):
    return Fleet(workers, settings)


def run(coroutine):
    async def bounded():
        async with asyncio.timeout(20):
            return await coroutine

    return asyncio.run(bounded())


def test_requests_that_begin_alike_go_to_one_worker_until_it_has_more_than_its_share():
    async def main():
        clients = [FakeClient("hangs"), FakeClient("hangs")]
        async with fleet(*(Worker(client=client) for client in clients), settings=PATIENT) as engine:
            calls = []
            for _ in range(20):
                calls.append(asyncio.create_task(engine.generate(request())))
                await asyncio.sleep(0)
            spread = sorted(client.calls for client in clients)
            for client in clients:
                client.gate.set()
            await asyncio.gather(*calls)
            return spread

    assert run(main()) == [7, 13]  # at most a quarter more than the mean, rounded up


def test_a_process_that_died_is_restarted_and_its_calls_are_dropped_for_the_pool_to_ask_again():
    async def main():
        client = FakeClient("hangs")

        def revive(server):
            client.mood, server.url = "answers", "http://fake:2"

        server = FakeServer(revive)
        async with fleet(Worker(client=client, server=server), settings=PATIENT) as engine:
            call = asyncio.create_task(engine.generate(request()))
            await client.arrived.wait()
            server.alive = False
            with pytest.raises(EngineUnavailable, match=r"run/server.log\): its process ended by itself"):
                await call
            assert await engine.generate(request()) == DONE  # waits for the restart
            return client.cancelled, server.restarts, client.url

    assert run(main()) == (1, 1, "http://fake:2")


def test_a_stalled_process_is_restarted():
    async def main():
        client = FakeClient("hangs")
        server = FakeServer(lambda _: setattr(client, "mood", "answers"))
        async with fleet(Worker(client=client, server=server)) as engine:
            with pytest.raises(EngineUnavailable, match="1 sequences waited, but none finished and no token came"):
                await engine.generate(request())
            assert await engine.generate(request()) == DONE
            return server.restarts

    assert run(main()) == 1


def test_a_long_generation_whose_tokens_are_counted_is_no_stall():
    async def main():
        client = FakeClient("hangs", counts=True)
        server = FakeServer(lambda _: None)
        async with fleet(Worker(client=client, server=server)) as engine:
            call = asyncio.create_task(engine.generate(request()))
            done, _ = await asyncio.wait([call], timeout=3 * FAST.stall_s)
            assert not done
            client.gate.set()
            return await call, server.restarts

    assert run(main()) == (DONE, 0)


def test_an_idle_worker_never_stalls():
    async def main():
        server = FakeServer(lambda _: None)
        async with fleet(Worker(client=FakeClient(), server=server)) as engine:
            await asyncio.sleep(2 * FAST.stall_s)
            await engine.generate(request())
            return server.restarts

    assert run(main()) == 0


def test_restarts_end_at_their_bound_with_one_clear_sentence():
    async def main():
        client = FakeClient("hangs")

        def fail(server):
            raise OSError("no memory")

        server = FakeServer(fail)
        async with fleet(Worker(client=client, server=server), settings=PATIENT) as engine:
            server.alive = False
            waiting = [asyncio.create_task(engine.generate(request())) for _ in range(3)]
            results = await asyncio.gather(*waiting, return_exceptions=True)
            with pytest.raises(EngineLost) as lost:
                await engine.generate(request())
            assert {type(result) for result in results} <= {EngineUnavailable, EngineLost}
            return server.restarts, str(lost.value)

    restarts, sentence = run(main())
    assert restarts == 2
    assert sentence == (
        "no engine is left: the local server (log: run/server.log): its process ended by itself; its restart failed: "
        "no memory; its restart failed: no memory; it was restarted 2 times already (max_restarts): "
        "its log has the cause"
    )


def test_a_restart_that_no_repetition_can_mend_ends_the_run_at_once():
    async def main():
        def fail(_):
            raise EngineMisconfigured("no such model: set model")

        server = FakeServer(fail)
        server.alive = False
        async with fleet(Worker(client=FakeClient("hangs"), server=server)) as engine:
            with pytest.raises(EngineLost, match="no such model: set model"):
                while True:
                    try:
                        await engine.generate(request())
                    except EngineUnavailable:
                        continue
            return server.restarts

    assert run(main()) == 1


def test_traffic_fails_over_from_an_attached_server_and_comes_back_with_it():
    async def main():
        ill, well = FakeClient(EngineUnavailable("connection refused")), FakeClient()
        async with fleet(Worker(client=ill), Worker(client=well)) as engine:
            with pytest.raises(EngineUnavailable):
                await engine.generate(request())
            for _ in range(5):
                await engine.generate(request())
            failed_over = ill.calls, well.calls
            ill.mood = "answers"
            while ill.calls == 1:
                await asyncio.sleep(FAST.poll_s)
                await engine.generate(request())
            return failed_over

    assert run(main()) == (1, 5)


def test_a_burst_of_failures_is_one_failure_and_one_probe():
    async def main():
        client = FakeClient("hangs")
        async with fleet(Worker(client=client), settings=PATIENT) as engine:
            burst = [asyncio.create_task(engine.generate(request())) for _ in range(10)]
            await client.arrived.wait()
            client.at_gate = EngineUnavailable("overloaded")
            client.gate.set()
            failed = await asyncio.gather(*burst, return_exceptions=True)
            client.at_gate = None
            await engine.generate(request())
            return len(failed), {str(error) for error in failed}, client.checks

    assert run(main()) == (10, {"overloaded"}, 1)


def test_a_worker_that_fails_every_call_does_not_swallow_the_run():
    async def main():
        class AnswersProbesOnly(FakeClient):
            async def generate(self, asked):
                raise EngineUnavailable("500")

        well = FakeClient()
        async with fleet(Worker(client=AnswersProbesOnly()), Worker(client=well)) as engine:
            pool = Pool(engine, Slots(4), settings=RetrySettings(first_wait_s=0.001, max_wait_s=0.01))
            return len(await asyncio.gather(*(pool.generate(request()) for _ in range(200))))

    assert run(main()) == 200


def test_when_no_attached_server_answers_everyone_waiting_is_told():
    async def main():
        client = FakeClient(EngineUnavailable("connection refused"))
        async with fleet(Worker(client=client)) as engine:
            with pytest.raises(EngineUnavailable):
                await engine.generate(request())
            results = await asyncio.gather(*(engine.generate(request()) for _ in range(3)), return_exceptions=True)
            return [f"{type(result).__name__}: {result}" for result in results]

    told = (
        "EngineLost: no engine answered for 0.3 s (give_up_s): "
        "the attached server at http://fake: connection refused: check that it runs and is reachable"
    )
    assert run(main()) == [told] * 3


def test_an_attached_server_that_accepts_and_never_answers_is_given_up():
    async def main():
        client = FakeClient("hangs")
        async with fleet(Worker(client=client)) as engine:
            pool = Pool(engine, Slots(4), settings=RetrySettings(first_wait_s=0.0, max_wait_s=0.0))
            with pytest.raises(EngineLost, match=r"it stalled 3 times without an answer \(max_restarts\)"):
                await pool.generate(request())
            return client.cancelled

    assert run(main()) == 3


@pytest.mark.parametrize("error", [RequestRefused("too long"), EngineMisconfigured("no such key")])
def test_errors_of_the_request_or_the_settings_pass_and_take_no_worker_down(error):
    async def main():
        client = FakeClient(error)
        async with fleet(Worker(client=client)) as engine:
            for _ in range(3):
                with pytest.raises(type(error)):
                    await engine.generate(request())
            return client.checks

    assert run(main()) == 0


def test_cancelling_a_call_cancels_it_on_its_worker():
    async def main():
        client = FakeClient("hangs")
        worker = Worker(client=client)
        async with fleet(worker, settings=PATIENT) as engine:
            call = asyncio.create_task(engine.generate(request(3)))
            await client.arrived.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            return client.cancelled, worker.sequences, worker.up

    assert run(main()) == (1, 0, True)


def test_closing_the_fleet_leaves_nobody_waiting():
    async def main():
        client = FakeClient(EngineUnavailable("connection refused"))
        async with fleet(Worker(client=client), settings=PATIENT) as engine:
            with pytest.raises(EngineUnavailable):
                await engine.generate(request())
            call = asyncio.create_task(engine.generate(request()))
            await asyncio.sleep(0)
        with pytest.raises(EngineLost, match="the fleet was closed"):
            await call

    run(main())


def test_closing_waits_for_a_restart_under_way_so_that_no_server_is_left_behind():
    async def main():
        started, finished = threading.Event(), threading.Event()

        def slow(_):
            started.set()
            time.sleep(0.1)
            finished.set()

        server = FakeServer(slow)
        server.alive = False
        async with fleet(Worker(client=FakeClient("hangs"), server=server)):
            await asyncio.to_thread(started.wait)
        return finished.is_set()

    assert run(main())


def test_a_watchdog_that_fails_ends_the_run_instead_of_watching_no_more():
    async def main():
        def break_down(_):
            raise ZeroDivisionError

        server = FakeServer(break_down)
        server.alive = False
        async with fleet(Worker(client=FakeClient("hangs"), server=server)) as engine:
            with pytest.raises(EngineUnavailable):
                await engine.generate(request())
            with pytest.raises(EngineLost, match=r"the watchdog of the local server .* failed: ZeroDivisionError"):
                await engine.generate(request())

    run(main())


def test_the_shortest_context_of_the_workers_that_answer_is_the_fleets():
    async def main(*clients):
        async with fleet(*(Worker(client=client) for client in clients)) as engine:
            return (await engine.model_info()).max_model_len

    ill = FakeClient(EngineUnavailable("connection refused"))
    assert run(main(FakeClient(max_model_len=90), FakeClient(max_model_len=70), ill)) == 70
    with pytest.raises(EngineUnavailable, match="connection refused"):
        run(main(ill))


def test_over_real_sockets_a_killed_server_costs_no_rollout(stub_server):
    async def main():
        async with stub_server() as second:
            first = await stub_server().__aenter__()
            first.always = "hang"
            server = FakeServer(lambda own: setattr(own, "url", second.url))
            client = VLLMClient(first.url, model="policy", settings=ClientSettings())
            async with fleet(Worker(client=client, server=server), settings=PATIENT) as engine:
                pool = Pool(engine, Slots(8), settings=RetrySettings(first_wait_s=0.001, max_wait_s=0.01))
                calls = [asyncio.create_task(pool.generate(request(2))) for _ in range(20)]
                await first.arrived.wait()
                server.alive = False
                await first.__aexit__()
                generations = await asyncio.gather(*calls)
            return [len(generation.completions) for generation in generations], server.restarts, len(second.asked)

    assert run(main()) == ([2] * 20, 1, 20)


def test_over_real_sockets_traffic_moves_to_the_server_that_is_left(stub_server):
    async def main():
        async with stub_server() as well, stub_server() as ill:
            ill.always = "hang"
            workers = [
                Worker(client=VLLMClient(server.url, model="policy", settings=ClientSettings()))
                for server in (ill, well)
            ]
            async with fleet(*workers) as engine:
                pool = Pool(engine, Slots(8), settings=RetrySettings(first_wait_s=0.001, max_wait_s=0.01))
                generations = await asyncio.gather(*(pool.generate(request()) for _ in range(40)))
                await asyncio.wait_for(ill.disconnected.wait(), 5)
            return len(generations), len(well.asked)

    assert run(main()) == (40, 40)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: FleetSettings(stall_s=0), "stall_s must be above 0, got 0"),
        (lambda: FleetSettings(give_up_s=-1), "give_up_s must be above 0, got -1"),
        (lambda: FleetSettings(max_restarts=-1), "max_restarts must be at least 0, got -1"),
        (lambda: Fleet([], FAST), "workers must be at least 1, got 0"),
    ],
)
def test_wrong_settings_are_named(build, words):
    with pytest.raises(ValueError, match=words):
        build()
