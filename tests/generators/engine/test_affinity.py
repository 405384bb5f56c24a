import math
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from generators.engine.affinity import SLACK, Affinity, chosen
from generators.tokens import TokenIds

TEMPLATE = tuple(range(1000, 1100))


def prompt(problem):
    return TEMPLATE + tuple((problem * 7919 + place * 104729) % 5000 for place in range(60))


def step(problem, number):
    return prompt(problem) + tuple(20_000 + number * 10 + place for place in range(40))


def homes(affinity, prefixes):
    return [affinity.order(prefix)[0] for prefix in prefixes]


def replicas(n):
    return Affinity([f"http://replica-{number}:8000" for number in range(n)])


def test_rollouts_of_one_problem_go_to_one_replica_and_problems_to_all():
    affinity = replicas(4)
    homes(affinity, [prompt(problem % 50) for problem in range(2000)])  # the template is known as common by now
    of_problems = {
        problem: set(homes(affinity, [step(problem, number) for number in range(8)])) for problem in range(50)
    }
    assert sum(len(own) == 1 for own in of_problems.values()) >= 45
    assert set().union(*of_problems.values()) == {0, 1, 2, 3}


def test_a_problem_that_makes_up_most_of_the_requests_is_spread_by_its_steps():
    affinity = replicas(4)
    spread = Counter(homes(affinity, [step(1, number % 40) for number in range(4000)])[1000:])
    assert len(spread) == 4


def test_a_replica_that_is_out_moves_its_own_prefixes_only():
    every, left = replicas(5), Affinity([f"http://replica-{number}:8000" for number in range(4)])
    for problem in range(200):
        prefix = tuple(range(problem * 100, problem * 100 + 50))
        order = every.order(prefix)
        assert tuple(number for number in order if number != 4) == left.order(prefix)


def test_token_ids_and_tuples_are_one_prefix():
    assert replicas(7).order(prompt(3)) == replicas(7).order(TokenIds(prompt(3)))


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=8),
    st.integers(1, 16),
    st.randoms(use_true_random=False),
)
def test_no_replica_exceeds_its_share_while_another_has_less(loads, n, random):
    order = random.sample(range(len(loads)), len(loads))
    number = chosen(order, dict(enumerate(loads)), n)
    bound = math.ceil(SLACK * (sum(loads) + n) / len(loads))
    assert loads[number] + n <= bound or loads[number] == min(loads)


@given(st.lists(st.integers(0, 5), min_size=50, max_size=300), st.integers(2, 5))
def test_whatever_is_asked_no_replica_starves(problems, n):
    affinity, loads = replicas(n), dict.fromkeys(range(n), 0)
    for problem in problems:
        loads[chosen(affinity.order(prompt(problem)), loads, 1)] += 1
    assert max(loads.values()) <= math.ceil(SLACK * len(problems) / n)


def test_of_the_replicas_that_may_be_chosen_only_one_of_these_is():
    assert chosen((2, 0, 1), {0: 3, 1: 0}, 1) == 1
    assert chosen((2, 0, 1), {0: 0, 1: 0}, 1) == 0
