import asyncio
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.search.priors import RECOVERY_RATES, Priors
from generators.search.sequential_test import SequentialTest
from generators.search.strategy import NOT_NEEDED, NOT_SURE, OWN_OUTCOME, SURE, TELLS_NOTHING
from tests.scripted_rollouts import ScriptedRollouts, planted, tried

FLAT = Priors(rise=0.0, even=1.0, recovery=(0.9, 0.1) + (0.0,) * (len(RECOVERY_RATES) - 2))
TEST = SequentialTest(priors=FLAT, cap=64)
SOLUTION = (1, 2, 3, 4, 5, 6, 0)


def fallen(first, base=0.8):
    """Worth the base rate up to the first wrong step, and nothing from there on."""
    return lambda node: base if node.depth <= first else 0.0


def search(strategy, tree, paths, rollouts):
    return asyncio.run(strategy.search(tree, paths, draw=rollouts.draw, cut=rollouts.cut))


def searched(strategy, value, *, n_right=13, n_wrong=3, **how):
    tree = tried(n_right, n_wrong)
    path = planted(tree, SOLUTION, False)
    rollouts = ScriptedRollouts(tree, value, **how)
    assert search(strategy, tree, [path], rollouts) == (path,)
    return rollouts, path, strategy.conclude(tree, path)


@pytest.mark.parametrize("first", range(7))
def test_it_stops_as_soon_as_it_is_sure_of_the_first_error(first):
    rollouts, path, found = searched(TEST, fallen(first))
    assert len(rollouts.asked) < TEST.cap
    assert [share > 0.5 for share in found.sound] == [step < first for step in range(7)]
    looked = {step for step, node in enumerate(path[:-1]) if node.outcomes}
    assert found.stop_reasons == (*(SURE if step in looked else NOT_NEEDED for step in range(6)), OWN_OUTCOME)
    for share in found.sound:
        assert share >= TEST.confidence or share <= 1 - TEST.confidence


def test_it_draws_nothing_where_it_is_sure_from_the_start():
    tree = tried(8, 0)
    path = planted(tree, SOLUTION, True)
    rollouts = ScriptedRollouts(tree, lambda node: 0.5)
    certain = SequentialTest(priors=FLAT)
    search(certain, tree, [path], rollouts)
    assert rollouts.asked == []
    assert certain.conclude(tree, path).stop_reasons == (*(NOT_NEEDED,) * 6, OWN_OUTCOME)


def test_it_stops_at_the_cap_and_says_that_it_is_not_sure():
    strategy = SequentialTest(priors=FLAT, cap=4, patience=1000.0)
    rollouts, _, found = searched(strategy, fallen(3, base=0.3), n_right=5, n_wrong=11)
    assert len(rollouts.asked) == 4
    assert NOT_SURE in found.stop_reasons
    assert TELLS_NOTHING not in found.stop_reasons


def test_it_gives_up_where_what_is_left_of_the_cap_would_not_tell():
    strategy = SequentialTest(priors=FLAT, cap=40, patience=1.0)
    rollouts, _, found = searched(strategy, lambda node: 0.0, n_right=0, n_wrong=16)
    assert len(rollouts.asked) < 40
    assert TELLS_NOTHING in found.stop_reasons
    assert NOT_SURE not in found.stop_reasons


def test_undecided_rollouts_cost_but_say_nothing():
    strategy = SequentialTest(priors=FLAT, cap=6, patience=1000.0)
    rollouts, path, found = searched(strategy, lambda node: None)
    assert len(rollouts.asked) == 6
    assert sum(node.counts.n_undecided for node in path[:-1]) == 6
    assert found.sound == pytest.approx([1 - (step + 1) / 7 for step in range(7)], abs=0.02)


def test_a_rollout_is_asked_for_once():
    rollouts, path, _ = searched(TEST, fallen(4))
    assert len(set(rollouts.asked)) == len(rollouts.asked)
    for node in path[:-1]:
        assert sorted(index for asked, index in rollouts.asked if asked is node) == list(range(len(node.outcomes)))


def test_what_may_be_drawn_ahead_never_goes_beyond_the_cap():
    strategy = SequentialTest(priors=FLAT, cap=10, ahead=4, patience=1000.0)
    rollouts, _, _ = searched(strategy, fallen(3, base=0.3), n_right=5, n_wrong=11)
    assert len(rollouts.asked) == 10
    assert rollouts.ahead == [4, 4, 4, 4, 4, 4, 3, 2, 1, 0]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 6))
def test_the_order_in_which_rollouts_arrive_is_no_matter(seed, first):
    strategy = SequentialTest(priors=FLAT, cap=24)
    pace = Random(seed)
    _, path, calm = searched(strategy, fallen(first))
    rollouts, hurried, found = searched(strategy, fallen(first), turns=lambda node, index: pace.randrange(12))
    assert found == calm
    assert [node.outcomes for node in hurried] == [node.outcomes for node in path]
    for node in hurried[:-1]:
        assert all(outcome == rollouts.outcome(node, index) for index, outcome in node.outcomes.items())


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_two_solutions_with_a_shared_prefix_do_not_depend_on_each_others_pace(seed):
    pace = Random(seed)

    def both(turns):
        tree = tried(13, 3)
        paths = [planted(tree, (1, 2, 3, 4, 0), False), planted(tree, (1, 2, 7, 8, 0), True)]
        search(SequentialTest(priors=FLAT, cap=16), tree, paths, ScriptedRollouts(tree, fallen(3), turns=turns))
        return {node.node_id: node.outcomes for node in tree}

    assert both(lambda node, index: 0) == both(lambda node, index: pace.randrange(9))


def test_decisions_do_not_depend_on_other_problems():
    async def side_by_side(names):
        trees = [tried(13, 3, name) for name in names]
        paths = [planted(tree, SOLUTION, False) for tree in trees]
        scripts = [
            ScriptedRollouts(tree, fallen(3), turns=lambda node, index: (node.depth + index) % 5) for tree in trees
        ]
        await asyncio.gather(
            *(
                TEST.search(tree, [path], draw=script.draw, cut=script.cut)
                for tree, path, script in zip(trees, paths, scripts, strict=True)
            )
        )
        return {tree.problem_id: TEST.conclude(tree, path) for tree, path in zip(trees, paths, strict=True)}

    together = asyncio.run(side_by_side(["a", "b", "c", "d"]))
    for name in ("a", "d"):
        assert asyncio.run(side_by_side([name])) == {name: together[name]}


def test_the_solutions_own_ending_is_no_evidence_but_the_attempts_are():
    strong, weak = tried(15, 1), tried(2, 14)
    values = [TEST.conclude(tree, planted(tree, SOLUTION, False)).values.mean[0] for tree in (strong, weak)]
    assert values[0] > 2 * values[1]
    alone = tried(15, 1)
    others = tried(15, 1)
    planted(others, (9, 9, 0), False)
    assert TEST.conclude(alone, planted(alone, SOLUTION, False)) == TEST.conclude(
        others, planted(others, SOLUTION, False)
    )


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("confidence", 0.5, "confidence must be above 0.5 and below 1, got 0.5"),
        ("confidence", 1.0, "confidence must be above 0.5 and below 1, got 1.0"),
        ("cap", 0, "cap must be at least 1, got 0"),
        ("ahead", -1, "ahead must be at least 0, got -1"),
        ("patience", 0.5, "patience must be at least 1, got 0.5"),
    ],
)
def test_a_setting_out_of_bounds_is_named_with_its_value(field, value, message):
    with pytest.raises(ValueError, match=message):
        SequentialTest(**{field: value})
