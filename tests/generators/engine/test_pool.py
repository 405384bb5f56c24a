import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.engine.errors import EngineLost, EngineMisconfigured, EngineUnavailable, RequestRefused
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Completion, Generation, Limits, Request, Sampling, Usage
from generators.engine.slots import Slots

QUICK = RetrySettings(max_tries=4, first_wait_s=0.0, max_wait_s=0.0)
NOTHING_LEFT = {"taken": 0, "waiting": 0}


def request(name=0, *, n=1, seed=0):
    return Request(prefix=(name,), sampling=Sampling(), limits=Limits(max_tokens=4), seed=seed, n=n)


def generation(asked):
    completions = tuple(
        Completion(token_ids=(asked.seed + i,), text="", finish_reason="length") for i in range(asked.n)
    )
    return Generation(completions=completions, usage=Usage(prompt=1, generated=asked.n))


class ScriptedEngine:
    """Fails with the next of `failures[name]`, then answers; with a gate it answers when the gate opens."""

    def __init__(self, failures=None, *, gate=None, yields=1):
        self.failures = {name: list(errors) for name, errors in (failures or {}).items()}
        self.gate = gate
        self.yields = yields
        self.asked = []
        self.answered = []
        self.running = 0
        self.peak = 0

    async def generate(self, asked):
        self.asked.append(asked)
        self.running += asked.n
        self.peak = max(self.peak, self.running)
        try:
            for _ in range(self.yields):
                await asyncio.sleep(0)
            if self.gate is not None:
                await self.gate.wait()
            if self.failures.get(asked.prefix[0]):
                raise self.failures[asked.prefix[0]].pop(0)
        finally:
            self.running -= asked.n
        self.answered.append(asked)
        return generation(asked)


def left_over(pool):
    return {"taken": pool.in_flight, "waiting": pool.waiting}


async def turns(count=5):
    for _ in range(count):
        await asyncio.sleep(0)


def test_an_unavailable_engine_is_asked_again():
    engine = ScriptedEngine({0: [EngineUnavailable("overloaded")] * 3})
    pool = Pool(engine, Slots(2), settings=QUICK)
    assert asyncio.run(pool.generate(request())) == generation(request())
    assert (len(engine.asked), pool.retries, pool.finished) == (4, 3, 1)


def test_exhausted_tries_name_the_last_cause():
    pool = Pool(ScriptedEngine({0: [EngineUnavailable("overloaded")] * 9}), Slots(2), settings=QUICK)
    with pytest.raises(EngineLost, match="failed 4 times in a row on one request: overloaded"):
        asyncio.run(pool.generate(request()))
    assert left_over(pool) == NOTHING_LEFT


@pytest.mark.parametrize("kind", [RequestRefused, EngineMisconfigured, EngineLost])
def test_what_asking_again_cannot_mend_passes_at_once(kind):
    engine = ScriptedEngine({0: [kind("no")]})
    pool = Pool(engine, Slots(2), settings=QUICK)
    with pytest.raises(kind, match=r"^no$"):
        asyncio.run(pool.generate(request()))
    assert len(engine.asked) == 1
    assert left_over(pool) == NOTHING_LEFT


def test_no_slot_is_held_between_tries():
    async def run():
        engine = ScriptedEngine({0: [EngineUnavailable("overloaded")]})
        pool = Pool(engine, Slots(1), settings=RetrySettings(first_wait_s=0.05, max_wait_s=0.05))
        await asyncio.gather(pool.generate(request(0)), pool.generate(request(1)))
        return [asked.prefix[0] for asked in engine.answered]

    assert asyncio.run(run()) == [1, 0]


def test_a_wide_request_is_not_passed_by_later_narrow_ones():
    async def run():
        gate = asyncio.Event()
        engine = ScriptedEngine(gate=gate)
        pool = Pool(engine, Slots(4), settings=QUICK)
        calls = [asyncio.create_task(pool.generate(request(name, n=n))) for name, n in [(0, 3), (1, 4), (2, 1), (3, 1)]]
        await turns()
        before = [asked.prefix[0] for asked in engine.asked], pool.in_flight, pool.waiting
        gate.set()
        await asyncio.gather(*calls)
        return before, [asked.prefix[0] for asked in engine.asked], left_over(pool)

    assert asyncio.run(run()) == (([0], 3, 6), [0, 1, 2, 3], NOTHING_LEFT)


def test_a_request_wider_than_the_pool_comes_back_whole_in_the_order_of_its_seeds():
    engine = ScriptedEngine()
    pool = Pool(engine, Slots(8), settings=QUICK)
    whole = asyncio.run(pool.generate(request(n=19, seed=100)))
    assert whole.completions == generation(request(n=19, seed=100)).completions
    assert sorted((asked.seed, asked.n) for asked in engine.asked) == [(100 + i, 2) for i in range(0, 18, 2)] + [
        (118, 1)
    ]
    assert engine.peak <= 8
    assert pool.usage == whole.usage == Usage(prompt=10, generated=19)


def test_one_refused_run_refuses_the_wide_request_and_leaves_nothing_behind():
    engine = ScriptedEngine({0: [RequestRefused("too long")]})
    pool = Pool(engine, Slots(4), settings=QUICK)

    async def run():
        with pytest.raises(RequestRefused, match="too long"):
            await pool.generate(request(n=40))
        return left_over(pool), engine.running

    assert asyncio.run(run()) == (NOTHING_LEFT, 0)


def test_cancelling_the_head_of_the_queue_lets_the_next_one_in():
    async def run():
        gate = asyncio.Event()
        engine = ScriptedEngine(gate=gate)
        pool = Pool(engine, Slots(4), settings=QUICK)
        running, head, behind = (asyncio.create_task(pool.generate(request(i, n=n))) for i, n in enumerate((2, 4, 2)))
        await turns()
        head.cancel()
        await turns()
        entered = [asked.prefix[0] for asked in engine.asked]
        gate.set()
        await asyncio.gather(running, behind)
        return entered, left_over(pool)

    assert asyncio.run(run()) == ([0, 2], NOTHING_LEFT)


def test_a_waiter_cancelled_in_the_moment_it_is_let_in_gives_its_slots_back():
    async def run():
        slots = Slots(1)
        entered = []

        async def enter(name):
            async with slots.hold(1):
                entered.append(name)

        async with slots.hold(1):
            first, second = asyncio.create_task(enter("first")), asyncio.create_task(enter("second"))
            await turns()
        first.cancel()  # its slot is granted, and it has not run since
        await asyncio.gather(first, second, return_exceptions=True)
        return entered, slots.taken

    assert asyncio.run(run()) == (["second"], 0)


def test_the_pool_with_the_lowest_rank_is_served_first():
    async def run():
        gate = asyncio.Event()
        engine = ScriptedEngine(gate=gate)
        slots = Slots(2)
        own, other = (Pool(engine, slots, settings=QUICK, rank=rank) for rank in (0, 1))
        calls = [other.generate(request(0, n=2)), other.generate(request(1)), own.generate(request(2, n=2))]
        tasks = [asyncio.create_task(call) for call in calls]
        await turns()
        seen = left_over(own), left_over(other), own.spare
        gate.set()
        await asyncio.gather(*tasks)
        return seen, [asked.prefix[0] for asked in engine.asked]

    waiting = {"taken": 0, "waiting": 2}, {"taken": 2, "waiting": 1}
    assert asyncio.run(run()) == ((*waiting, 0), [0, 2, 1])


def test_a_better_rank_takes_the_room_that_is_too_small_for_a_wide_call():
    async def run():
        gate = asyncio.Event()
        engine = ScriptedEngine(gate=gate)
        slots = Slots(4)
        own, other = (Pool(engine, slots, settings=QUICK, rank=rank) for rank in (0, 1))
        calls = [other.generate(request(0, n=2)), other.generate(request(1, n=4)), own.generate(request(2))]
        tasks = [asyncio.create_task(call) for call in calls]
        await turns()
        entered = [asked.prefix[0] for asked in engine.asked]
        gate.set()
        await asyncio.gather(*tasks)
        return entered

    assert asyncio.run(run()) == [0, 2]


CALLS = st.lists(
    st.tuples(
        st.integers(1, 12),
        st.integers(0, 2),
        st.sampled_from(["keep", "keep", "cancel early", "cancel late"]),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=25,
)


@settings(deadline=None)
@given(calls=CALLS, capacity=st.integers(1, 8), yields=st.integers(0, 3))
def test_the_bound_holds_for_pools_together_and_every_call_is_answered_once(calls, capacity, yields):
    async def run():
        failures = {name: [EngineUnavailable("again")] * count for name, (_, count, _, _) in enumerate(calls)}
        engine = ScriptedEngine(failures, yields=yields)
        slots = Slots(capacity)
        pools = [Pool(engine, slots, settings=QUICK, rank=rank) for rank in (0, 1)]
        tasks = [
            asyncio.create_task(pools[rank].generate(request(name, n=n))) for name, (n, _, _, rank) in enumerate(calls)
        ]
        for turn, fate in enumerate(["cancel early", "cancel late"]):
            await turns(1 + 3 * turn)
            for task, (_, _, its_fate, _) in zip(tasks, calls, strict=True):
                if its_fate == fate:
                    task.cancel()
        return engine, (slots, pools), tasks, await asyncio.gather(*tasks, return_exceptions=True)

    engine, (slots, pools), tasks, results = asyncio.run(run())
    assert engine.peak <= capacity
    assert [left_over(pool) for pool in pools] == [NOTHING_LEFT, NOTHING_LEFT]
    assert (slots.taken, slots.wanted) == (0, 0)
    answered = Counter()
    for asked in engine.answered:
        answered[asked.prefix[0]] += asked.n
    for name, (n, _, fate, _) in enumerate(calls):
        if tasks[name].cancelled():
            assert fate != "keep"
        else:
            assert [c.token_ids for c in results[name].completions] == [(i,) for i in range(n)]
            assert answered[name] == n


@pytest.mark.parametrize("failures", [1, 2, 5, 3000])
def test_pauses_double_up_to_their_bound(failures):
    bound = min(8.0, 0.5 * 2.0 ** min(failures - 1, 9))
    waits = [RetrySettings(first_wait_s=0.5, max_wait_s=8.0).wait_s(failures) for _ in range(50)]
    assert bound / 2 <= min(waits) and max(waits) <= bound


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Pool(ScriptedEngine(), Slots(0), settings=QUICK), "capacity must be at least 1, got 0"),
        (lambda: RetrySettings(max_tries=0), "max_tries must be at least 1, got 0"),
        (lambda: RetrySettings(first_wait_s=-1), "first_wait_s must be at least 0, got -1"),
        (lambda: RetrySettings(first_wait_s=9, max_wait_s=3), r"max_wait_s must be at least first_wait_s \(9\), got 3"),
    ],
)
def test_wrong_settings_are_named(build, words):
    with pytest.raises(ValueError, match=words):
        build()
