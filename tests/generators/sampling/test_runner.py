import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.engine.errors import EngineLost, RequestRefused
from generators.sampling.runner import Failure, each_in_order, run_recipe


def run(recipe, items, window=2, **options):
    return asyncio.run(run_recipe(recipe, items, window=window, **options))


async def double(item):
    await asyncio.sleep(0.001 * (item % 3))
    return item * 2


def test_rows_come_in_the_order_of_the_items():
    assert run(double, [5, 1, 3, 2], window=3).rows == (10, 2, 6, 4)


def test_a_refused_item_is_set_aside_and_the_others_go_on():
    async def picky(item):
        if item == 2:
            raise RequestRefused("prefix of 9 tokens is too long")
        return item

    outcome = run(picky, [1, 2, 3])
    assert outcome.rows == (1, 3)
    assert [(failure.item, failure.message) for failure in outcome.failures] == [(2, "prefix of 9 tokens is too long")]


def test_a_lost_engine_stops_the_run_as_itself():
    async def lost(item):
        raise EngineLost("gone")

    with pytest.raises(EngineLost, match="gone"):
        run(lost, [1, 2, 3])


def test_no_more_items_than_the_window_are_open_at_once():
    open_now, most = 0, 0

    async def watched(item):
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0)
        open_now -= 1

    run(watched, range(50), window=7)
    assert most == 7


def test_every_finished_item_is_told():
    told = []
    run(double, [1, 2, 3], on_done=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


class Heard:
    def __init__(self):
        self.events = []

    def expect(self, total, *, window):
        self.events.append(("expect", total, window))

    def begin(self, unit):
        self.events.append(("begin", unit))

    def finish(self, unit):
        self.events.append(("finish", unit))


def test_a_watch_hears_of_every_item_that_begins_and_finishes_even_of_a_refused_one():
    async def picky(item):
        if item == 2:
            raise RequestRefused("too long")

    heard = Heard()
    run(picky, [1, 2], window=1, watch=heard)
    assert heard.events == [("expect", 2, 1), ("begin", 0), ("finish", 0), ("begin", 1), ("finish", 1)]


def test_an_empty_window_is_refused():
    with pytest.raises(ValueError, match="window must be at least 1, got 0"):
        run(double, [1], window=0)


def taken(recipe, items, **options):
    results = []
    asyncio.run(each_in_order(recipe, items, take=results.append, **options))
    return results


@given(st.lists(st.integers(0, 5), max_size=20), st.integers(1, 6), st.integers(1, 8))
def test_rows_and_failures_are_handed_on_in_order_whichever_is_first(turns, window, most_ahead):
    async def after_some_turns(item):
        for _ in range(item[1]):
            await asyncio.sleep(0)
        if item[1] == 3:
            raise RequestRefused("three")
        return item

    items = list(enumerate(turns))
    results = taken(after_some_turns, items, window=window, most_ahead=most_ahead)
    assert [result.item if isinstance(result, Failure) else result for result in results] == items


def test_no_item_begins_that_is_too_far_ahead_of_the_first_unfinished_one():
    begun, results, first = [], [], asyncio.Event()

    async def held(item):
        begun.append(item)
        if item == 0:
            await first.wait()
        return item

    async def main():
        work = asyncio.create_task(each_in_order(held, range(50), take=results.append, window=3, most_ahead=5))
        for _ in range(100):
            await asyncio.sleep(0)
        assert (begun, results) == ([0, 1, 2, 3, 4], [])
        first.set()
        await work

    asyncio.run(main())
    assert results == list(range(50))


def test_an_error_of_who_takes_the_rows_stops_the_run():
    def full(row):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        asyncio.run(each_in_order(double, range(9), take=full, window=3))
