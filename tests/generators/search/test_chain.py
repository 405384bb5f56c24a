import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.search.chain import Chain, clock, values_at
from generators.search.priors import BASE_RATES, RECOVERY_RATES, STEPS, Priors

EVERY_BASE = np.arange(len(BASE_RATES))
few = settings(max_examples=40, deadline=None)
SHAPES = st.builds(
    Priors,
    rise=st.sampled_from([0.0, 0.3, 1.0]),
    closing=st.sampled_from([0.05, 1.0]),
    even=st.sampled_from([0.0, 0.5]),
)

# steps, rise, closing, then the time before the first step and after each
TIMES = [
    (1, 1.0, 0.3, [1.0, 0.0]),
    (4, 1.0, 1.0, [1.0, 0.75, 0.5, 0.25, 0.0]),
    (3, 1.0, 0.5, [1.0, 0.6, 0.2, 0.0]),
    (3, 0.0, 1.0, [1.0, 1.0, 1.0, 0.0]),
    (4, 0.5, 1.0, [1.0, 0.75**0.5, 0.5**0.5, 0.5, 0.0]),
]


@pytest.mark.parametrize(("n_steps", "rise", "closing", "times"), TIMES)
def test_the_clock_of_a_short_solution_shows_these_times(n_steps, rise, closing, times):
    assert clock(n_steps, rise, closing) == pytest.approx(times)


def test_the_empty_prefix_is_worth_the_base_rate_and_a_finished_one_its_outcome():
    right, _ = values_at(1.0)
    assert right == pytest.approx(np.repeat(np.array(BASE_RATES)[:, None], len(RECOVERY_RATES), axis=1), abs=1e-9)
    right, wrong = values_at(0.0)
    assert (right == 1.0).all()
    assert (wrong == 0.0).all()


@pytest.mark.parametrize("time", [0.1, 0.5, 0.9])
def test_where_nothing_recovers_a_right_prefix_is_worth_a_power_of_the_base_rate(time):
    right, wrong = values_at(time)
    assert right[:, 0] == pytest.approx(np.array(BASE_RATES) ** time, abs=0.002)
    assert wrong[:, 0] == pytest.approx(0.0, abs=0.001)


def test_a_wrong_prefix_is_worth_more_the_more_often_it_recovers_and_never_as_much_as_a_right_one():
    right, wrong = values_at(0.7)
    assert (np.diff(wrong[20]) > 0).all()
    assert (wrong <= right).all()


@few
@given(st.integers(1, 12), SHAPES)
def test_the_value_of_a_prefix_is_what_its_next_step_makes_of_it(n_steps, priors):
    chain = Chain.of(n_steps, priors, EVERY_BASE)
    ends = np.ones((1, chain.right.shape[1]))
    right, wrong = np.vstack((chain.right, ends)), np.vstack((chain.wrong, 0 * ends))
    breaks, mends = chain.breaks[1:], chain.mends[1:]
    assert right[:-1] == pytest.approx((1 - breaks) * right[1:] + breaks * wrong[1:], abs=1e-9)
    assert wrong[:-1] == pytest.approx((1 - mends) * wrong[1:] + mends * right[1:], abs=1e-9)


@few
@given(st.integers(1, 12), SHAPES)
def test_every_solution_has_a_first_error_or_none(n_steps, priors):
    chain = Chain.of(n_steps, priors, EVERY_BASE)
    assert chain.first.sum(0) + chain.none == pytest.approx(np.ones(chain.none.shape))
    assert chain.first.min() >= 0
    assert chain.none.min() >= -1e-12


def test_the_first_error_may_be_anywhere_where_that_is_even():
    chain = Chain.of(5, Priors(rise=0.0, even=1.0), np.array([20]))
    assert chain.first == pytest.approx((1 - BASE_RATES[20]) / 5)
    assert (chain.breaks[:-1] == 0).all()
    assert (chain.mends[:-1] == 0).all()


@pytest.mark.parametrize("n_steps", [3, 10, 25])
def test_by_step_a_wrong_prefix_recovers_in_each_step_as_often(n_steps):
    chain = Chain.of(n_steps, Priors(rise=1.0, closing=1.0, by_step=True), np.array([30]))
    assert chain.mends == pytest.approx(np.tile(np.array(RECOVERY_RATES) / STEPS, (n_steps, 1)), abs=1e-9)
