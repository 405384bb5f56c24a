import asyncio

import pytest

from generators.records import StepCounts
from generators.search.exhaustive import Exhaustive
from generators.search.strategy import ALL_DRAWN, OWN_OUTCOME
from tests.scripted_rollouts import ScriptedRollouts, planted, tried


def search(strategy, tree, paths, rollouts):
    return asyncio.run(strategy.search(tree, paths, draw=rollouts.draw, cut=rollouts.cut))


def test_every_step_but_the_last_has_its_rollouts():
    tree = tried(2, 2)
    path = planted(tree, (1, 2, 3, 0), False)
    rollouts = ScriptedRollouts(tree, lambda node: 0.5)
    assert search(Exhaustive(rollouts_per_step=3), tree, [path], rollouts) == (path,)
    assert rollouts.asked == [(node, index) for node in path[:-1] for index in range(3)]
    assert [node.counts.n_rollouts for node in path] == [3, 3, 3, 1]


def test_a_prefix_that_two_solutions_share_is_drawn_from_once():
    tree = tried(2, 2)
    paths = [planted(tree, (1, 2, 3, 0), False), planted(tree, (1, 2, 4, 0), True)]
    rollouts = ScriptedRollouts(tree, lambda node: 0.5)
    assert search(Exhaustive(rollouts_per_step=5), tree, paths, rollouts) == tuple(paths)
    assert len(rollouts.asked) == len(set(rollouts.asked)) == 5 * 4
    assert paths[0][1] is paths[1][1]


def test_the_value_drops_to_zero_at_the_wrong_step():
    tree = tried(2, 2)
    path = planted(tree, (1, 2, 3, 4, 0), False)
    rollouts = ScriptedRollouts(tree, lambda node: 1.0 if node.depth < 3 else 0.0)
    search(Exhaustive(rollouts_per_step=4), tree, [path], rollouts)
    concluded = Exhaustive(rollouts_per_step=4).conclude(tree, path)
    assert concluded.values.mean == (1.0, 1.0, 0.0, 0.0, 0.0)
    assert concluded.sound is None
    assert concluded.stop_reasons == (ALL_DRAWN,) * 4 + (OWN_OUTCOME,)


def test_undecided_rollouts_are_no_value():
    tree = tried(2, 2)
    path = planted(tree, (1, 0), True)
    search(Exhaustive(rollouts_per_step=4), tree, [path], ScriptedRollouts(tree, lambda node: None))
    assert path[0].counts == StepCounts(n_correct=0, n_rollouts=0, n_undecided=4)
    values = Exhaustive().conclude(tree, path).values
    assert (values.mean, values.low, values.high) == ((None, 1.0), (0.0, 1.0), (1.0, 1.0))


def test_a_solution_of_one_step_needs_no_rollout():
    tree = tried(2, 2)
    path = planted(tree, (0,), True)
    rollouts = ScriptedRollouts(tree, lambda node: 0.5)
    assert search(Exhaustive(), tree, [path], rollouts) == (path,)
    assert rollouts.asked == []


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(ValueError, match="rollouts_per_step must be at least 1, got 0"):
        Exhaustive(rollouts_per_step=0)
