import numpy as np
import pytest

from generators.search.priors import BASE_RATES, RECOVERY_RATES, Priors, right_values, wrong_values


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("base", (1.0,), "base must have 40 weights, got 1"),
        ("recovery", (0.5, 0.5), "recovery must have 10 weights, got 2"),
        ("recovery", (0.2,) * 10, "recovery must hold weights of at least 0 that add up to 1"),
        ("recovery", (-0.1, 1.1) + (0.0,) * 8, "recovery must hold weights of at least 0 that add up to 1"),
        ("rise", -0.1, "rise must be at least 0, got -0.1"),
        ("fade", -1.0, "fade must be at least 0, got -1.0"),
        ("spread", 0.0, "spread must be above 0, got 0.0"),
        ("trust", -1.0, "trust must be above 0, got -1.0"),
        ("relapse", 1.0, "relapse must be at least 0 and below 1, got 1.0"),
        ("mended", -0.1, "mended must be at least 0 and below 1, got -0.1"),
    ],
)
def test_priors_out_of_bounds_are_named_with_their_value(field, value, message):
    with pytest.raises(ValueError, match=message):
        Priors(**{field: value})


def test_the_edges_of_the_bounds_are_within():
    priors = Priors(rise=0.0, fade=0.0, relapse=0.0, mended=0.0, recovery=(1.0,) + (0.0,) * 9)
    assert priors.recovery == (1.0,) + (0.0,) * 9


def test_priors_come_back_from_their_plain_form():
    priors = Priors(rise=0.3, base=[1.0] + [0] * 39)
    assert Priors(**priors.to_json()) == priors


def test_rates_are_within_zero_and_one_and_rise():
    for rates in (BASE_RATES, RECOVERY_RATES):
        assert list(rates) == sorted(set(rates))
        assert 0 < rates[0] <= rates[-1] < 1


def test_without_rise_and_fade_a_value_is_its_rate_at_every_step():
    for values, rates in ((right_values(5, 0.0), BASE_RATES), (wrong_values(5, 0.0), RECOVERY_RATES)):
        assert values.shape == (4, len(rates))
        assert np.allclose(values, rates)


def test_with_a_rise_of_one_every_step_is_as_likely_to_go_wrong_as_any_other():
    rate = BASE_RATES[20]
    assert right_values(5, 1.0)[:, 20] == pytest.approx([rate ** (left / 5) for left in (4, 3, 2, 1)])


def test_with_a_fade_of_one_a_wrong_prefix_recovers_as_often_as_steps_are_left():
    assert wrong_values(5, 1.0)[:, -1] == pytest.approx([0.3 * left / 5 for left in (4, 3, 2, 1)])


def test_a_single_step_has_no_prefix_to_value():
    assert right_values(1, 0.5).shape == (0, len(BASE_RATES))
    assert wrong_values(1, 0.5).shape == (0, len(RECOVERY_RATES))
