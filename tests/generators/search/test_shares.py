import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.records import StepCounts
from generators.search.shares import share_values, wilson


def counts(right, n):
    return StepCounts(n_correct=right, n_rollouts=n, n_undecided=0)


# Wilson's 95 % score intervals
INTERVALS = [
    (0, 0, 0.0, 1.0),
    (0, 10, 0.0, 0.2775),
    (5, 10, 0.2366, 0.7634),
    (10, 10, 0.7225, 1.0),
    (81, 263, 0.2553, 0.3662),
]


@pytest.mark.parametrize(("right", "n", "low", "high"), INTERVALS)
def test_the_interval_of_a_share_is_wilsons(right, n, low, high):
    assert wilson(counts(right, n)) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(0, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_lies_in_its_interval_which_mirrors_that_of_the_rest(seen):
    right, n = seen
    low, high = wilson(counts(right, n))
    assert 0 <= low <= high <= 1
    if n:
        assert low - 1e-12 <= right / n <= high + 1e-12
    assert wilson(counts(n - right, n)) == pytest.approx((1 - high, 1 - low))


def test_the_last_step_is_worth_its_outcome_and_no_rollout_no_value():
    found = share_values([counts(1, 4), counts(0, 0), counts(0, 1)])
    assert found.mean == (0.25, None, 0.0)
    assert found.low[1:] == (0.0, 0.0)
    assert found.high[1:] == (1.0, 0.0)
