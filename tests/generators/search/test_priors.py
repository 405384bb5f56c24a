import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.search.priors import BASE_RATES, RECOVERY_RATES, ByLength, Priors, moves


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("base", (1.0,), "base must have 40 weights, got 1"),
        ("recovery", (0.5, 0.5), "recovery must have 14 weights, got 2"),
        ("recovery", (0.2,) * 14, "recovery must hold weights of at least 0 that add up to 1"),
        ("recovery", (-0.1, 1.1) + (0.0,) * 12, "recovery must hold weights of at least 0 that add up to 1"),
        ("rise", -0.1, "rise must be at least 0, got -0.1"),
        ("closing", 0.0, "closing must be above 0, got 0.0"),
        ("spread", 0.0, "spread must be above 0, got 0.0"),
        ("trust", -1.0, "trust must be above 0, got -1.0"),
        ("even", 1.1, "even must be from 0 to 1, got 1.1"),
        ("even", -0.1, "even must be from 0 to 1, got -0.1"),
    ],
)
def test_priors_out_of_bounds_are_named_with_their_value(field, value, message):
    with pytest.raises(ValueError, match=message):
        Priors(**{field: value})


def test_the_edges_of_the_bounds_are_within():
    priors = Priors(rise=0.0, even=0.0, recovery=(1.0,) + (0.0,) * 13)
    assert priors.recovery == (1.0,) + (0.0,) * 13
    assert Priors(even=1.0).even == 1.0


def test_priors_come_back_from_their_plain_form():
    priors = Priors(rise=0.3, base=[1.0] + [0] * 39)
    assert Priors(**priors.to_json()) == priors
    by_length = replace(priors, by_length=ByLength(base=priors.base, length=8.5, slope=-0.1))
    assert Priors(**json.loads(json.dumps(by_length.to_json()))) == by_length


AT_EIGHT_STEPS = ByLength(base=tuple(float(rate == 0.5125) for rate in BASE_RATES), length=8, slope=-0.2)


@pytest.mark.parametrize(("n_steps", "mean"), [(8, 0.5125), (13, 0.279), (3, 0.741), (200, 0.0125)])
def test_the_log_odds_of_a_base_rate_go_with_the_steps_of_a_solution(n_steps, mean):
    weights = Priors(by_length=AT_EIGHT_STEPS).base_of(n_steps)
    assert float(weights @ np.array(BASE_RATES)) == pytest.approx(0.99 * mean + 0.01 * 0.5, abs=0.002)


def test_base_rates_that_do_not_go_with_length_are_those_of_all_problems():
    assert Priors().base_of(3) == pytest.approx(Priors().base_of(30))


@given(st.floats(-50, 50))
def test_weights_that_are_moved_stay_weights(by):
    assert moves(by).sum(1) == pytest.approx(np.ones(len(BASE_RATES)))
    assert moves(by).min() >= 0


def test_weights_by_length_out_of_bounds_are_named():
    with pytest.raises(ValueError, match=r"by_length\.base must have 40 weights, got 1"):
        ByLength(base=(1.0,), length=8, slope=0.1)


def test_rates_rise_and_base_rates_are_within_zero_and_one():
    for rates in (BASE_RATES, RECOVERY_RATES):
        assert list(rates) == sorted(set(rates))
        assert rates[0] > 0
    assert BASE_RATES[-1] < 1


def test_before_a_pilot_low_recovery_rates_are_the_likelier_ones():
    weights = Priors().recovery
    assert list(weights) == sorted(weights, reverse=True)
    assert sum(weights) == pytest.approx(1)
