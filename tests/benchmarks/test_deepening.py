"""Iterative deepening on the simulated policy: the product's settings, and the same tokens for every method."""

import argparse
import asyncio

import pytest

from benchmarks.deepening import REAL, SIMULATED, on_the_simulated_policy
from generators.self_correction_traces.settings import Settings


@pytest.mark.parametrize(
    ("config", "varied"), [(SIMULATED, {"counts"}), (REAL, {"first_budget", "max_budget"})], ids=["simulated", "real"]
)
def test_the_settings_are_the_products_but_for_those_that_are_varied(config, varied):
    differing = {name for name in Settings.model_fields if getattr(config.settings, name) != getattr(Settings(), name)}
    assert differing == varied


def test_triggers_mend_and_break_as_often_as_the_law_says_and_no_method_spends_more_than_it_may():
    options = argparse.Namespace(problems=6, tokens=[400], mend_rate=1.0, break_rate=0.0, first_budget=None)
    figures = asyncio.run(on_the_simulated_policy(options))
    transitions = figures["transitions"]["id_sampling_finished"]
    assert set(transitions) <= {"wrong to right", "right to right"}
    assert transitions["wrong to right"] > 0
    assert figures["id_sampling_finished"]["pass_rate"] == 1.0
    assert figures["id_sampling"]["pass_rate"] == figures["plain"]["pass_rate"] < 1.0
    assert all(
        figures[f"{method}majority"]["tokens"] <= 400 for method in ("", "id_sampling_", "id_sampling_finished_")
    )


def test_a_lower_first_budget_puts_triggers_after_unfinished_responses():
    options = argparse.Namespace(problems=6, tokens=[400], mend_rate=0.1, break_rate=0.02, first_budget=32)
    figures = asyncio.run(on_the_simulated_policy(options))
    assert sum(figures["transitions"]["id_sampling"].values()) > 0
