import asyncio

import pytest

from generators.search.exhaustive import Exhaustive
from generators.search.omegaprm import OmegaPRM
from generators.search.sequential_test import Measured, SequentialTest, ended
from generators.search.strategy import OWN_OUTCOME, REFUTED, open_steps
from generators.search.tree import Tree
from tests.scripted_rollouts import ScriptedRollouts, planted, tried

SOLUTION = (1, 2, 3, 4, 5, 0)
STRATEGIES = [Exhaustive(rollouts_per_step=4), OmegaPRM(k=4), SequentialTest(cap=64)]
every_strategy = pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)


def searched(strategy, refuted, *, outcome=False):
    tree = tried(6, 6)
    path = planted(tree, SOLUTION, outcome)
    if refuted is not None:
        path[refuted].is_refuted = True
    rollouts = ScriptedRollouts(tree, lambda node: 0.9)
    paths = asyncio.run(strategy.search(tree, [path], draw=rollouts.draw, cut=rollouts.cut))
    assert path in paths
    return rollouts, path, strategy.conclude(tree, path)


@every_strategy
@pytest.mark.parametrize("refuted", range(6))
def test_no_rollout_starts_at_a_refuted_step_or_after_it(strategy, refuted):
    rollouts, path, found = searched(strategy, refuted)
    assert not {node for node, _ in rollouts.asked} & set(path[refuted:])
    assert found.values.mean[refuted:] == found.values.high[refuted:] == (0.0,) * (6 - refuted)
    assert found.stop_reasons[refuted:] == (REFUTED,) * (6 - refuted)
    assert REFUTED not in found.stop_reasons[:refuted]


@every_strategy
def test_a_solution_whose_first_step_is_refuted_costs_nothing(strategy):
    rollouts, _, found = searched(strategy, 0)
    assert rollouts.asked == []
    assert found.sound in (None, (0.0,) * 6)


@every_strategy
def test_a_solution_without_a_refuted_step_is_searched_to_its_end(strategy):
    rollouts, path, found = searched(strategy, None)
    assert rollouts.asked
    assert open_steps(path) == path[:-1]
    assert found.stop_reasons[-1] == OWN_OUTCOME


@pytest.mark.parametrize("strategy", [STRATEGIES[0], STRATEGIES[2]], ids=lambda strategy: strategy.name)
def test_a_right_answer_does_not_mend_a_refuted_step(strategy):
    _, _, found = searched(strategy, 3, outcome=True)
    assert found.values.mean[3:] == (0.0, 0.0, 0.0)


def test_the_soundness_of_the_steps_before_is_that_of_a_solution_that_ends_there():
    _, path, found = searched(STRATEGIES[2], 3)
    assert all(share > 0.5 for share in found.sound[:3])
    assert found.sound[3:] == (0.0, 0.0, 0.0)
    counts = [node.counts for node in path]
    again = Measured.of(counts, n_right=6, n_attempts=12, priors=STRATEGIES[2].priors, refuted=3)
    assert (again.values, again.sound) == (found.values, found.sound)
    assert len(ended(counts, 3)) == 4


def test_a_tree_asks_of_every_new_step_whether_it_is_refuted():
    asked = []

    def refutes(before, step):
        asked.append((before, step))
        return step == "2 + 6 = 14\n"

    tree = Tree("p", (9,), refutes)
    path = tree.path((1, 2, 3), (1, 2, 3), ["So\n", "2 + 6 = 14\n", "end"])
    tree.path((1, 2, 4), (1, 2, 3), ["So\n", "2 + 6 = 14\n", "stop"])
    assert [node.is_refuted for node in path] == [False, True, False]
    assert asked == [
        ("", "So\n"),
        ("So\n", "2 + 6 = 14\n"),
        ("So\n2 + 6 = 14\n", "end"),
        ("So\n2 + 6 = 14\n", "stop"),
    ]
