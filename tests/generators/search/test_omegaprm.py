import asyncio
from dataclasses import replace

import pytest

from generators.search.omegaprm import OmegaPRM, _Candidate, _Pool
from generators.search.strategy import ALL_DRAWN, NOT_NEEDED, OWN_OUTCOME
from tests.scripted_rollouts import ScriptedRollouts, planted, tried

SOLUTION = (1, 2, 3, 4, 5, 6, 7, 0)


def search(strategy, tree, paths, rollouts):
    return asyncio.run(strategy.search(tree, paths, draw=rollouts.draw, cut=rollouts.cut))


def fallen(first, base=1.0):
    return lambda node: base if node.depth <= first else 0.0


@pytest.mark.parametrize(("n_right", "n_wrong"), [(8, 0), (0, 8), (0, 0)])
def test_a_problem_that_is_always_right_or_always_wrong_is_not_searched(n_right, n_wrong):
    tree = tried(n_right, n_wrong)
    rollouts = ScriptedRollouts(tree, fallen(3))
    assert search(OmegaPRM(), tree, [planted(tree, SOLUTION, False)], rollouts) == ()
    assert rollouts.asked == []


@pytest.mark.parametrize("first", range(8))
def test_bisection_finds_the_planted_step(first):
    tree = tried(4, 4)
    path = planted(tree, SOLUTION, False)
    rollouts = ScriptedRollouts(tree, fallen(first))
    assert search(OmegaPRM(k=4), tree, [path], rollouts) == (path,)
    looked = [step for step, node in enumerate(path[:-1]) if node.outcomes]
    worth = [step for step in looked if path[step].counts.n_correct]
    assert len(looked) == 3  # of eight steps
    assert max(worth, default=-1) == first - 1
    assert min((step for step in looked if step not in worth), default=7) == first
    assert len(rollouts.asked) == 3 * 4


def test_steps_that_were_not_looked_at_are_said_to_be_not_needed():
    tree = tried(4, 4)
    path = planted(tree, SOLUTION, False)
    strategy = OmegaPRM(k=4)
    search(strategy, tree, [path], ScriptedRollouts(tree, fallen(1)))
    found = strategy.conclude(tree, path)
    drawn = dict.fromkeys((0, 1, 3), ALL_DRAWN)
    assert found.stop_reasons == (*(drawn.get(step, NOT_NEEDED) for step in range(7)), OWN_OUTCOME)
    assert found.values.mean == (1.0, 0.0, None, 0.0, None, None, None, 0.0)
    assert found.sound is None


def test_right_solutions_are_not_searched():
    tree = tried(4, 4)
    wrong, right = planted(tree, SOLUTION, False), planted(tree, (1, 2, 9, 0), True)
    assert search(OmegaPRM(), tree, [right, wrong], ScriptedRollouts(tree, fallen(3))) == (wrong,)


def test_rollouts_without_an_answer_are_not_searched_since_they_hold_no_wrong_answer():
    tree = tried(4, 4)
    path = planted(tree, SOLUTION, False)
    rollouts = ScriptedRollouts(tree, fallen(5, base=0.5), tail=lambda node, index: (200 + index, 300, 0))

    async def draw(node, *, start, n, ahead=0):
        return tuple(replace(drawn, no_answer=True) for drawn in await rollouts.draw(node, start=start, n=n))

    strategy = OmegaPRM(k=8, search_limit=6, budget=1000)
    assert asyncio.run(strategy.search(tree, [path], draw=draw, cut=rollouts.cut)) == (path,)
    assert sum(node.counts.n_no_answer for node in path[:-1]) == len(rollouts.asked)


def test_wrong_rollouts_of_open_states_are_searched_too():
    tree = tried(4, 4)
    path = planted(tree, SOLUTION, False)
    strategy = OmegaPRM(k=8, search_limit=6, budget=1000)
    rollouts = ScriptedRollouts(tree, fallen(5, base=0.5), tail=lambda node, index: (200 + index, 300, 0))
    searched = search(strategy, tree, [path], rollouts)
    assert searched[0] == path
    assert len(searched) == 6
    for found in searched[1:]:
        state, index = next(
            (node, node_index) for node, node_index in rollouts.asked if tail_of(found, node, node_index)
        )
        assert rollouts.outcome(state, index) is False
        assert 0 < state.counts.n_correct < state.counts.n_rollouts


def tail_of(path, node, index):
    return path[-1].prefix == (*node.prefix, 200 + index, 300, 0)


@pytest.mark.parametrize("reason", ["length", "stop"])
def test_rollouts_that_did_not_end_by_themselves_are_not_searched(reason):
    tree = tried(4, 4)
    path = planted(tree, SOLUTION, False)
    rollouts = ScriptedRollouts(tree, fallen(5, base=0.5), finish_reason=reason)
    assert search(OmegaPRM(budget=1000), tree, [path], rollouts) == (path,)


def test_a_state_without_wrong_rollouts_adds_nothing_to_the_pool():
    tree = tried(4, 4)
    path = planted(tree, SOLUTION, False)
    assert search(OmegaPRM(budget=1000), tree, [path], ScriptedRollouts(tree, fallen(5))) == (path,)


def test_no_path_is_searched_twice():
    tree = tried(4, 4)
    path = planted(tree, SOLUTION, False)
    rollouts = ScriptedRollouts(tree, fallen(7, base=0.5), tail=lambda node, index: (200 + index % 2, 0))
    searched = search(OmegaPRM(k=8, budget=1000), tree, [path, path], rollouts)
    ends = [found[-1].node_id for found in searched]
    assert len(ends) == len(set(ends)) > 1


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_search_limit_holds(limit):
    tree = tried(4, 4)
    path = planted(tree, SOLUTION, False)
    rollouts = ScriptedRollouts(tree, fallen(7, base=0.5))
    assert len(search(OmegaPRM(search_limit=limit, budget=10_000), tree, [path], rollouts)) == limit


@pytest.mark.parametrize("budget", [1, 30, 100])
def test_no_search_begins_once_the_budget_is_spent(budget):
    tree = tried(4, 4)
    path = planted(tree, SOLUTION, False)
    rollouts = ScriptedRollouts(
        tree, fallen(99, base=0.5), tail=lambda node, index: (*range(200 + index, 203 + index), 0)
    )
    searched = search(OmegaPRM(k=4, budget=budget), tree, [path], rollouts)
    drawn = len(set(rollouts.asked))
    assert searched
    assert budget <= drawn < budget + 4 * 4  # one bisection of at most sixteen steps may go beyond it


def test_a_prefix_that_was_drawn_from_costs_no_more_of_the_budget():
    tree = tried(4, 4)
    paths = [planted(tree, (*SOLUTION[:-1], end, 0), False) for end in (11, 12)]
    rollouts = ScriptedRollouts(tree, fallen(1))
    assert search(OmegaPRM(k=4, budget=17), tree, paths, rollouts) == tuple(paths)
    assert len(set(rollouts.asked)) <= 16


def test_shorter_rollouts_are_searched_first():
    tree = tried(4, 4)
    long, short = planted(tree, SOLUTION, False), planted(tree, (8, 9, 0), False)
    assert search(OmegaPRM(), tree, [long, short], ScriptedRollouts(tree, fallen(0))) == (short, long)


# right and wrong rollouts of the state, tokens, visits of the state, visits of all, then Q + U by hand
PRIORITIES = [
    ((4, 4), 500, 0, 0, 0.5**0.5 * 0.9),
    ((8, 0), 0, 0, 0, 1.0),
    ((0, 8), 0, 0, 0, 0.5),
    ((2, 6), 1000, 0, 4, 0.5**0.75 * 0.81 + 0.125 * 2),
    ((2, 6), 1000, 3, 16, 0.5**0.75 * 0.81 + 0.125 * 4 / 4),
    ((4, 4), 250, 1, 9, 0.5**0.5 * 0.9**0.5 + 0.125 * 3 / 2),
]


@pytest.mark.parametrize(("counts", "length", "visits", "total", "expected"), PRIORITIES)
def test_a_priority_is_q_and_u_of_the_paper(counts, length, visits, total, expected):
    tree = tried(*counts)
    candidate = _Candidate(tree.root, planted(tree, (1, 0), False), length)
    pool = _Pool([candidate], {tree.root: visits}, set())
    assert OmegaPRM()._priority(candidate, pool, total) == pytest.approx(expected)


def test_priorities_follow_the_counts_of_the_moment():
    tree = tried(4, 4)
    first, second = planted(tree, (1, 2, 0), False), planted(tree, (3, 4, 0), False)
    for index in range(4):
        first[0].record(index, index < 1)
        second[0].record(index, index < 2)
    candidates = [_Candidate(first[0], first, 10), _Candidate(second[0], second, 10)]
    assert OmegaPRM()._select(_Pool(list(candidates), {}, set())) is candidates[1]
    for index in range(4, 12):
        first[0].record(index, True)
    assert OmegaPRM()._select(_Pool(list(candidates), {}, set())) is candidates[0]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("k", 0, "k must be at least 1, got 0"),
        ("search_limit", 0, "search_limit must be at least 1, got 0"),
        ("budget", 0, "budget must be at least 1, got 0"),
        ("alpha", 0.0, "alpha must be above 0 and at most 1, got 0.0"),
        ("beta", 1.1, "beta must be above 0 and at most 1, got 1.1"),
    ],
)
def test_a_setting_out_of_bounds_is_named_with_its_value(field, value, message):
    with pytest.raises(ValueError, match=message):
        OmegaPRM(**{field: value})
