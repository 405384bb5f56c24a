import asyncio
from collections import Counter
from dataclasses import replace
from math import sqrt
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.records import Evidence, StepCounts
from generators.search.held_out import HELD_OUT
from generators.search.margins import MarginTest, margin_of, measure, published
from tests.scripted_rollouts import ScriptedRollouts, planted, tried

TEST = MarginTest(least=0.1, lot=4, cap=32)


def seen(right, n):
    return Evidence(counts=StepCounts(n_correct=right, n_rollouts=n, n_undecided=0))


def ended(right):
    return Evidence(counts=StepCounts(n_correct=0, n_rollouts=0, n_undecided=0), own_outcome=right)


EVIDENCE = st.integers(1, 60).flatmap(
    lambda n: st.integers(0, n).map(lambda right: seen(right, n))
) | st.booleans().map(ended)

# method 10 in Newcombe's own table (1998)
PUBLISHED = [
    ((56, 70), (48, 80), 0.0524, 0.3339),
    ((9, 10), (3, 10), 0.1705, 0.8090),
    ((6, 7), (2, 7), 0.0582, 0.8062),
    ((5, 56), (0, 29), -0.0381, 0.1926),
    ((0, 10), (0, 20), -0.1611, 0.2775),
    ((10, 10), (0, 10), 0.6075, 1.0),
]


@pytest.mark.parametrize(("chosen", "rejected", "low", "high"), PUBLISHED)
def test_the_interval_is_newcombes(chosen, rejected, low, high):
    margin = margin_of(seen(*chosen), seen(*rejected))
    assert (margin.low, margin.high) == pytest.approx((low, high), abs=1e-4)


@given(EVIDENCE, EVIDENCE)
def test_a_margin_lies_in_its_interval_and_mirrors_that_of_the_sides_in_turn(one, other):
    margin, mirrored = margin_of(one, other), margin_of(other, one)
    assert -1 - 1e-9 <= margin.low <= margin.value + 1e-9 and margin.value - 1e-9 <= margin.high <= 1 + 1e-9
    assert (mirrored.low, mirrored.value, mirrored.high) == pytest.approx((-margin.high, -margin.value, -margin.low))


def test_two_outcomes_differ_exactly_and_one_outcome_adds_no_width():
    assert margin_of(ended(True), ended(False)).low == 1.0
    half = margin_of(ended(True), seen(0, 10))
    assert (half.low, half.high) == pytest.approx((1 - 0.2775, 1.0), abs=1e-4)


def test_a_side_without_a_decided_rollout_leaves_no_margin():
    assert margin_of(seen(3, 4), seen(0, 0)) is None


def work(better, worse, test=None, *, turns=lambda node, index: 0):
    """A margin of two scripted steps, and how many rollouts each was asked for."""
    tree = tried(2, 2)
    chosen, rejected = planted(tree, (1, 9), True)[0], planted(tree, (2, 9), False)[0]
    values = {chosen: better, rejected: worse}
    rollouts = ScriptedRollouts(tree, values.get, turns=turns)
    margin = asyncio.run(measure(chosen, rejected, draw=rollouts.draw, test=test or TEST))
    asked = Counter(node for node, _ in rollouts.asked)
    return margin, (asked[chosen], asked[rejected])


# what the steps are worth, and the rollouts of each side
STOPS = [
    (1.0, 0.0, (4, 4)),
    (0.0, 0.0, (32, 32)),
    (0.0, 1.0, (4, 4)),
    (None, 0.0, (32, 32)),
]


@pytest.mark.parametrize(("better", "worse", "asked"), STOPS)
def test_rollouts_stop_when_the_margin_is_on_one_side_of_the_least_or_at_the_cap(better, worse, asked):
    assert work(better, worse)[1] == asked


def test_the_same_rollouts_in_any_order_come_to_the_same_margin():
    plain = work(0.5, 0.1)
    assert work(0.5, 0.1, turns=lambda node, index: (7 * index) % 5) == plain


def test_what_a_node_knows_already_is_counted_and_the_other_side_catches_up():
    tree = tried(2, 2)
    chosen, rejected = planted(tree, (1, 9), True)[0], planted(tree, (2, 9), False)[0]
    for index in range(16):
        rejected.record(index, False)
    rollouts = ScriptedRollouts(tree, {chosen: 0.7, rejected: 0.0}.get)
    margin = asyncio.run(measure(chosen, rejected, draw=rollouts.draw, test=TEST))
    assert {node for node, _ in rollouts.asked} == {chosen}
    assert margin.rejected.counts.n_rollouts == 16


def test_a_step_that_ends_its_solution_is_never_drawn_from():
    tree = tried(2, 2)
    (chosen,), rejected = planted(tree, (1,), True), planted(tree, (2, 9), False)[0]
    rollouts = ScriptedRollouts(tree, {rejected: 0.0}.get)
    margin = asyncio.run(measure(chosen, rejected, draw=rollouts.draw, test=TEST))
    assert {node for node, _ in rollouts.asked} == {rejected}
    assert (margin.chosen.value, margin.chosen.counts.n_rollouts) == (1.0, 0)


def test_the_last_lot_ends_at_the_cap():
    assert work(0.0, 0.0, replace(TEST, cap=6))[1] == (6, 6)


# right and decided rollouts of both sides, and why the margin does not hold
UNFIT = [
    ((16, 32), (1, 32), None),
    ((3, 32), (1, 32), "margin_too_small"),
    ((6, 32), (2, 32), "margin_not_sure"),
]


@pytest.mark.parametrize(("chosen", "rejected", "reason"), UNFIT)
def test_a_margin_must_be_large_enough_and_no_chance(chosen, rejected, reason):
    assert TEST.unfit(margin_of(seen(*chosen), seen(*rejected))) == reason


def two_steps(better, worse, problem_id="p"):
    """Two steps of these values after one prefix, and what draws from them."""
    tree = tried(2, 2, problem_id)
    chosen, rejected = planted(tree, (1, 9), True)[0], planted(tree, (2, 9), False)[0]
    return chosen, rejected, ScriptedRollouts(tree, {chosen: better, rejected: worse}.get)


def test_what_is_published_is_drawn_from_indexes_that_no_test_reaches_and_stays_off_the_nodes():
    chosen, rejected, rollouts = two_steps(0.5, 0.1)
    margin = asyncio.run(published(chosen, rejected, draw=rollouts.draw, n=3))
    assert rollouts.asked == [(node, HELD_OUT + index) for node in (chosen, rejected) for index in range(3)]
    assert [side.counts.n_rollouts for side in (margin.chosen, margin.rejected)] == [3, 3]
    assert chosen.outcomes == rejected.outcomes == {}


def test_what_is_published_does_not_depend_on_what_the_test_drew():
    chosen, rejected, rollouts = two_steps(0.5, 0.1)
    untested = asyncio.run(published(chosen, rejected, draw=rollouts.draw, n=8))
    asyncio.run(measure(chosen, rejected, draw=rollouts.draw, test=TEST))
    assert asyncio.run(published(chosen, rejected, draw=rollouts.draw, n=8)) == untested


def test_a_step_that_ends_its_solution_is_published_with_its_outcome():
    tree = tried(2, 2)
    (chosen,), rejected = planted(tree, (1,), True), planted(tree, (2, 9), False)[0]
    rollouts = ScriptedRollouts(tree, {rejected: 0.0}.get)
    margin = asyncio.run(published(chosen, rejected, draw=rollouts.draw, n=8))
    assert (margin.value, margin.chosen.own_outcome, margin.rejected.counts.n_rollouts) == (1.0, True, 8)


def test_a_side_without_a_decided_held_out_rollout_publishes_nothing():
    chosen, rejected, rollouts = two_steps(None, 0.1)
    assert asyncio.run(published(chosen, rejected, draw=rollouts.draw, n=8)) is None


N_PUBLISHED = 8


def kept(better, worse, *, pairs, named=lambda rollouts, rejected: True):
    """The margins in the test and the published ones of the pairs that a test keeps, of pairs of the same two values.

    Only pairs whose rejected step is `named` by its first rollouts are tested.
    """

    async def margins():
        for number in range(pairs):
            chosen, rejected, rollouts = two_steps(better, worse, f"problem {number}")
            if not named(rollouts, rejected):
                continue
            tested = await measure(chosen, rejected, draw=rollouts.draw, test=TEST)
            if TEST.unfit(tested) is None:
                margin = await published(chosen, rejected, draw=rollouts.draw, n=N_PUBLISHED)
                yield tested.value, margin.value

    async def collected():
        return [pair async for pair in margins()]

    return asyncio.run(collected())


def tolerance(better, worse, n):
    """4.5 standard errors of the mean of `n` published margins."""
    return 4.5 * sqrt((better * (1 - better) + worse * (1 - worse)) / N_PUBLISHED / n)


@settings(max_examples=8, derandomize=True, deadline=None)
@given(better=st.floats(0.3, 0.95), share=st.floats(0, 0.5))
def test_the_published_margins_of_kept_pairs_are_the_true_ones_on_average(better, share):
    worse = better * share
    margins = kept(better, worse, pairs=200)
    off = mean(margin for _, margin in margins) - (better - worse)
    assert abs(off) <= tolerance(better, worse, len(margins))


def test_stopping_at_lucky_lots_makes_margins_too_large_and_a_search_that_names_by_them_even_more():
    def named(rollouts, rejected):
        return not any(rollouts.outcome(rejected, index) for index in range(4))

    better, worse = 0.4, 0.15
    for pairs, least, naming in ((600, 0.05, {}), (900, 0.09, {"named": named})):
        margins = kept(better, worse, pairs=pairs, **naming)
        in_the_test, as_published = (mean(column) - (better - worse) for column in zip(*margins, strict=True))
        assert in_the_test > least
        assert abs(as_published) <= tolerance(better, worse, len(margins))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"least": 0.0}, "least must be above 0 and below 1, got 0.0"),
        ({"lot": 0}, "lot must be at least 1, got 0"),
        ({"lot": 8, "cap": 4}, r"cap must be at least lot \(8\), got 4"),
    ],
)
def test_a_setting_out_of_bounds_is_named_with_its_value(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(TEST, **changes)
