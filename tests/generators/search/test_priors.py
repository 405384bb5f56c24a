import pytest

from generators.search.priors import BASE_RATES, RECOVERY_RATES, Priors


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


def test_rates_rise_and_base_rates_are_within_zero_and_one():
    for rates in (BASE_RATES, RECOVERY_RATES):
        assert list(rates) == sorted(set(rates))
        assert rates[0] > 0
    assert BASE_RATES[-1] < 1


def test_before_a_pilot_low_recovery_rates_are_the_likelier_ones():
    weights = Priors().recovery
    assert list(weights) == sorted(weights, reverse=True)
    assert sum(weights) == pytest.approx(1)
