"""The settings that did best on validation, from literal results."""

from benchmarks.laboratory_value.choices import chosen_phases, chosen_rates
from benchmarks.laboratory_value.reward_figures import Choice
from generators.training.phases import PhaseSettings


def phase(rate):
    return PhaseSettings(dataset="attempts", learning_rate=rate, steps=10)


def result(n_right):
    return {"solved": [{"n": 8, "n_right": n_right}, {"n": 8, "n_right": 4}]}


def test_an_arm_takes_the_settings_with_the_highest_pass_at_1_and_of_equals_the_first():
    tried = [
        ("dpo", phase(1e-5), result(2)),
        ("dpo", phase(2e-5), result(6)),
        ("dpo", phase(3e-5), result(6)),
        ("cdpo", phase(4e-5), result(0)),
    ]
    assert chosen_phases(tried, print) == {"dpo": phase(2e-5), "cdpo": phase(4e-5)}


def test_labels_take_the_rate_with_the_best_order_and_what_goes_with_it():
    tried = [
        ("truth", 1e-3, {"order": 0.8, "aggregate": "last", "threshold": 0.3}),
        ("truth", 2e-3, {"order": 0.9, "aggregate": "least", "threshold": 0.6}),
    ]
    assert chosen_rates(tried, print) == {"truth": (2e-3, Choice(aggregate="least", threshold=0.6))}
