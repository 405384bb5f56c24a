"""What the settings resolve to beside the attempts: the budgets, and the tokens of a whole response."""

from dataclasses import asdict, replace

import pytest

from generators.engine.protocol import Sampling
from generators.section import merged
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.settings import Settings

SETTINGS = Settings(max_tokens=400, first_budget=20, max_budget=160, at_max="cut")
CONFIG = SelfCorrectionConfig(settings=SETTINGS, sampling=Sampling(temperature=0.8, seed=1), attempt_tokens=100, seed=3)


def changed(**changes):
    return replace(CONFIG, settings=merged(SETTINGS, changes))


@pytest.mark.parametrize(
    ("change", "budgets"),
    [
        ({}, (20, 40, 80, 160)),
        ({"max_budget": 100}, (20, 40, 80, 100)),
        ({"max_budget": 20}, (20,)),
        ({"at_max": "finish"}, (20, 40, 80, 400)),
        ({"at_max": "trigger"}, (20, 40, 80, 160, 400)),
        ({"at_max": "trigger", "max_budget": 400}, (20, 40, 80, 160, 320, 400)),
        ({"first_budget": 1, "growth": 1.5, "max_budget": 6}, (1, 2, 3, 4, 6)),
    ],
)
def test_budgets_grow_to_the_largest(change, budgets):
    assert changed(**change).budgets == budgets


@pytest.mark.parametrize(("max_tokens", "budgets"), [(None, (100,)), (600, (256, 512, 600))])
def test_no_budget_is_above_a_whole_response_which_is_as_long_as_an_attempt_by_default(max_tokens, budgets):
    config = replace(CONFIG, settings=Settings(max_tokens=max_tokens))
    assert config.budgets == budgets
    assert config.max_tokens == (max_tokens or config.attempt_tokens)


@pytest.mark.parametrize(
    ("counts", "budget", "n_tokens", "room"),
    [("response", 80, 30, 50), ("segment", 80, 30, 80), ("segment", 80, 350, 50), ("response", 400, 400, 0)],
)
def test_a_budget_leaves_room_for_the_rest_of_the_response_or_for_a_segment(counts, budget, n_tokens, room):
    assert changed(counts=counts).room(budget, n_tokens) == room


def test_the_recipe_file_keeps_what_the_settings_resolved_to():
    assert CONFIG.to_json() == {
        "sampling": asdict(CONFIG.sampling),
        "attempt_tokens": 100,
        "max_tokens": 400,
        "budgets": [20, 40, 80, 160],
        "seed": 3,
    }


def test_attempts_have_at_least_one_token():
    with pytest.raises(ValueError, match="attempt_tokens must be at least 1, got 0"):
        replace(CONFIG, attempt_tokens=0)
