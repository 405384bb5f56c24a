from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.critical_token_pairs.calibration import MOST_TEMPERATURE, fitted_temperature, wrong_probability

RATIOS = st.floats(-50, 50)
TEMPERATURES = st.floats(1, MOST_TEMPERATURE)
TRUE = log(3)  # a token that is three times as likely in right solutions
RIGHT, WRONG = np.array([TRUE, TRUE, TRUE, -TRUE]), np.array([TRUE, -TRUE, -TRUE, -TRUE])

WEIGHTS = [
    (0.0, 1.0, 0.5),
    (log(4), 1.0, 0.2),
    (-log(4), 1.0, 0.8),
    (2 * log(4), 2.0, 0.2),
    (1e6, 1.0, 0.0),
    (-1e6, 1.0, 1.0),
]


@pytest.mark.parametrize(("log_ratio", "temperature", "weight"), WEIGHTS)
def test_a_token_weighs_how_probably_it_stands_in_a_wrong_solution(log_ratio, temperature, weight):
    assert wrong_probability(log_ratio, temperature) == pytest.approx(weight)


@given(RATIOS, RATIOS, TEMPERATURES)
def test_a_token_that_is_likelier_in_right_solutions_never_weighs_more(one, other, temperature):
    low, high = sorted((one, other))
    assert wrong_probability(low, temperature) >= wrong_probability(high, temperature)


@given(RATIOS, TEMPERATURES)
def test_the_opposite_ratio_has_the_rest_of_the_probability(ratio, temperature):
    assert wrong_probability(ratio, temperature) + wrong_probability(-ratio, temperature) == pytest.approx(1.0)


@pytest.mark.parametrize(("overstated", "temperature"), [(1.0, 1.0), (2.0, 2.0), (7.5, 7.5), (0.5, 1.0), (1e4, 100.0)])
def test_ratios_that_claim_too_much_are_divided_by_what_they_overstate(overstated, temperature):
    assert fitted_temperature(RIGHT * overstated, WRONG * overstated) == pytest.approx(temperature, abs=1e-3)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [([1.0, -1.0], [1.0, -1.0]), ([-1.0], [1.0]), ([0.0], [0.0])],
    ids=["alike", "the wrong way round", "no difference"],
)
def test_ratios_that_do_not_tell_right_from_wrong_say_next_to_nothing(right, wrong):
    temperature = fitted_temperature(np.array(right), np.array(wrong))
    assert temperature == MOST_TEMPERATURE
    assert wrong_probability(3.0, temperature) == pytest.approx(0.5, abs=0.01)


def test_the_kind_with_more_tokens_does_not_outweigh_the_other():
    assert fitted_temperature(RIGHT * 3, np.tile(WRONG * 3, 9)) == pytest.approx(3.0, abs=1e-3)


@given(st.lists(RATIOS, min_size=1, max_size=20), st.lists(RATIOS, min_size=1, max_size=20))
def test_the_temperature_makes_held_out_labels_as_likely_as_any_other_would(right, wrong):
    def likelihood(temperature):
        of_right = [log(max(wrong_probability(-ratio, temperature), 1e-300)) for ratio in right]
        of_wrong = [log(max(wrong_probability(ratio, temperature), 1e-300)) for ratio in wrong]
        return sum(of_right) / len(right) + sum(of_wrong) / len(wrong)

    fitted = fitted_temperature(np.array(right), np.array(wrong))
    assert 1 <= fitted <= MOST_TEMPERATURE
    assert all(likelihood(fitted) >= likelihood(other) - 1e-3 for other in (1.0, 1.5, 3.0, 10.0, 30.0, 100.0))


@pytest.mark.parametrize(("right", "wrong", "counts"), [([], [1.0], "0 and 1"), ([1.0], [], "1 and 0")])
def test_without_a_token_of_either_kind_there_is_nothing_to_fit(right, wrong, counts):
    with pytest.raises(ValueError, match=f"at least one log ratio each, got {counts}"):
        fitted_temperature(np.array(right), np.array(wrong))
