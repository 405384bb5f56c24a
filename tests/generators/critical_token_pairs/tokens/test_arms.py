from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.critical_token_pairs.tokens.arms import two_arms
from generators.records import StepCounts
from generators.search.priors import RECOVERY_RATES, Priors

FLAT = Priors(rise=0.0, recovery=(0.9, 0.1) + (0.0,) * (len(RECOVERY_RATES) - 2))


def arms(with_token=(0, 0), without=(0, 0), *, attempts=(8, 16), position=3, length=10):
    tried = StepCounts(n_correct=attempts[0], n_rollouts=attempts[1], n_undecided=0)
    made = two_arms(position, length, priors=FLAT, attempts=tried, never=0.05, least=0.1)
    for arm, (right, wrong) in ((made.with_token, with_token), (made.without_token, without)):
        for outcome in [True] * right + [False] * wrong:
            arm.add(outcome)
    return made


# right and wrong rollouts with the token, without it, and whether the token is critical
TOLD = [
    ((0, 10), (4, 4), True),
    ((0, 10), (8, 0), True),
    ((3, 5), (4, 4), False),
    ((0, 10), (0, 20), False),
    ((5, 5), (0, 20), False),
]


@pytest.mark.parametrize(("with_token", "without", "critical"), TOLD)
def test_a_token_is_critical_where_all_is_lost_with_it_and_not_without_it(with_token, without, critical):
    assert (arms(with_token, without).critical > 0.95) == critical
    assert (arms(with_token, without).critical < 0.02) != critical


def test_before_any_rollout_the_odds_of_being_lost_are_even():
    assert arms().lost_with == pytest.approx(0.5, abs=0.01)
    assert 0.4 < arms().alive_without < 0.55


@pytest.mark.parametrize(("attempts", "quick"), [((15, 16), True), ((5, 16), False)])
def test_the_attempts_say_how_much_a_few_wrong_rollouts_mean(attempts, quick):
    assert (arms((0, 4), attempts=attempts).lost_with > 0.99) == quick


def test_undecided_rollouts_move_on_and_say_nothing():
    made = arms()
    before = made.critical
    made.with_token.add(None)
    assert (made.critical, made.with_token.next_index, made.with_token.share) == (before, 1, None)


def test_behind_the_last_token_nothing_is_drawn():
    made = arms(position=9)
    assert (made.lost_with, made.with_token.share) == (1.0, 0.0)
    assert made.most_informative() is made.without_token


def test_the_next_rollout_comes_from_the_arm_that_is_less_known():
    assert arms((0, 30)).most_informative().n_wrong == 0
    assert arms((0, 0), (8, 0)).most_informative().n_right == 0


@given(order=st.permutations([True] * 3 + [False] * 4 + [None]))
def test_the_order_of_outcomes_is_no_matter(order):
    made = arms()
    for outcome in order:
        made.with_token.add(outcome)
    assert isclose(made.critical, arms((3, 4)).critical, rel_tol=1e-9)
