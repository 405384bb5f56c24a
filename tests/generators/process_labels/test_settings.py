import pytest
from pydantic import ValidationError

from generators.process_labels.settings import Settings
from generators.search.exhaustive import Exhaustive
from generators.search.omegaprm import OmegaPRM
from generators.search.sequential_test import SequentialTest


@pytest.mark.parametrize(
    ("changes", "strategy"),
    [
        ({"confidence": 0.9, "cap": 64, "ahead": 0}, SequentialTest(confidence=0.9, cap=64, ahead=0)),
        ({"strategy": "exhaustive", "rollouts_per_step": 3}, Exhaustive(rollouts_per_step=3)),
        ({"strategy": "omegaprm", "rollouts_per_step": 3, "budget": 9}, OmegaPRM(k=3, budget=9)),
    ],
)
def test_the_strategy_has_the_numbers_of_the_settings(changes, strategy):
    assert Settings(**changes).initial_strategy == strategy


def test_the_steps_of_a_solution_are_bounded_in_order():
    assert Settings(min_steps=3, max_steps=3).max_steps == 3
    with pytest.raises(ValidationError, match=r"max_steps must be at least min_steps \(4\)"):
        Settings(min_steps=4, max_steps=3)
