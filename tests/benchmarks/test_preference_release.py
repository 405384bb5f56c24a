import pytest

from benchmarks.preference_release import boxed_number, critical_pair_faults, repeated_steps, step_pair_faults

PROVENANCE = {"problem_id": "p", "policy": "m", "round": "r", "slice": "s"}
STEP_PAIR = PROVENANCE | {
    "answer": "4",
    "initial_reason_steps": "1 + 1 = 2\n",
    "chosen": "2 + 2 = 4\n",
    "rejected": "2 + 2 = 5\n",
    "full_chosen": "2 + 2 = 4\n\\boxed{4}",
    "full_rejected": "2 + 2 = 5\n\\boxed{5}",
    "chosen_n_correct": 8,
    "chosen_n_rollouts": 10,
    "chosen_value": 0.8,
    "rejected_n_correct": 1,
    "rejected_n_rollouts": 10,
    "rejected_value": 0.1,
    "test_chosen_n_rollouts": 4,
    "test_rejected_n_rollouts": 8,
    "test_margin": 0.9,
    "test_margin_low": 0.2,
    "n_rollouts": 32,
    "value_margin": 0.7,
    "value_margin_low": 0.3,
    "value_margin_high": 0.9,
    "pass_rate": 0.5,
    "prefix_token_ids": [1, 2],
}
STEP_TEXTS = {"prefix": "problem 1 + 1 = 2\n", "chosen": "2 + 2 = 4\n", "rejected": "2 + 2 = 5\n"}
CRITICAL_PAIR = PROVENANCE | {
    "answer": "4",
    "fold": 0,
    "chosen": "\\boxed{4}",
    "rejected": "\\boxed{5}",
    "response_start": 1,
    "chosen_token_ids": [9, 4, 0],
    "rejected_token_ids": [9, 5, 0],
    "chosen_scores": [None, 0.9, 1.0],
    "rejected_scores": [None, 0.2, 1.0],
    "chosen_log_ratios": [0.0, 1.0, 0.0],
    "rejected_log_ratios": [0.0, -2.772588722239781, 0.0],  # at temperature 2, odds of 4 to 1
    "chosen_weights": [0.0, 1.0, 1.0],
    "rejected_weights": [0.0, 0.8, 1.0],
    "critical_positions": [1],
    "critical_token_ids": [5],
    "critical_scores": [0.2],
    "critical_confirmed": [True],
}
CRITICAL_TEXTS = {"chosen": "\\boxed{4}", "rejected": "\\boxed{5}"}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("so \\boxed{-3}.", -3.0),
        ("\\boxed{1} no, \\boxed{ 2.5 }", 2.5),
        ("the answer is 3", None),
        ("\\boxed{x}", None),
    ],
)
def test_the_last_boxed_number_is_the_answer(text, number):
    assert boxed_number(text) == number


def test_a_pair_that_keeps_every_rule_has_no_fault():
    assert step_pair_faults(STEP_PAIR, STEP_TEXTS, least_margin=0.1) == []
    assert critical_pair_faults(CRITICAL_PAIR, CRITICAL_TEXTS, temperature=2.0) == []


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({"full_chosen": "2 + 2 = 4\n\\boxed{6}"}, ["chosen_ends_right"]),
        ({"full_rejected": "2 + 2 = 5\n\\boxed{4}"}, ["rejected_ends_wrong"]),
        ({"full_chosen": "\\boxed{4}"}, ["full_sides_begin_with_the_step"]),
        ({"chosen_n_correct": 7}, ["values_follow_from_counts"]),
        ({"value_margin": 0.6}, ["margin_follows_from_values"]),
        ({"value_margin_low": 0.8}, ["interval_holds_the_margin"]),
        ({"test_margin_low": -0.1}, ["interval_of_the_test_excludes_0"]),
        ({"test_margin": 0.05, "test_margin_low": 0.01}, ["margin_of_the_test_is_large_enough"]),
        ({"n_rollouts": 20}, ["rollouts_are_of_both_sides"]),
        ({"pass_rate": 1.0}, ["solved_at_times"]),
        ({"initial_reason_steps": "other"}, ["prefix_ids_hold_the_steps_before"]),
        ({"policy": ""}, ["provenance"]),
    ],
)
def test_a_step_pair_that_breaks_a_rule_is_named(change, faults):
    assert step_pair_faults(STEP_PAIR | change, STEP_TEXTS, least_margin=0.1) == faults


def test_a_margin_below_the_least_is_a_fault():
    assert step_pair_faults(STEP_PAIR, STEP_TEXTS, least_margin=0.95) == ["margin_of_the_test_is_large_enough"]


def test_token_ids_of_another_text_are_a_fault():
    assert step_pair_faults(STEP_PAIR, STEP_TEXTS | {"chosen": "4"}, least_margin=0.1) == ["ids_are_of_the_texts"]
    assert critical_pair_faults(CRITICAL_PAIR, CRITICAL_TEXTS | {"rejected": "5"}, temperature=2.0) == [
        "ids_are_of_the_texts"
    ]


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        ({"rejected_weights": [0.0, 0.7, 1.0]}, ["rejected_weights_follow_from_log_ratios"]),
        ({"rejected_weights": [0.1, 0.8, 1.0]}, ["no_weight_on_the_prompt"]),
        ({"chosen_weights": [0.0, 1.0]}, ["weights_are_as_long_as_ids"]),
        ({"chosen_scores": [None, 0.9]}, ["scores_are_as_long_as_ids"]),
        ({"critical_token_ids": [4]}, ["positions_hold_their_ids"]),
        ({"critical_scores": [0.3]}, ["positions_hold_their_scores"]),
        ({"chosen_token_ids": [8, 4, 0]}, ["one_prompt"]),
        ({"fold": 1}, ["fold_is_of_the_problem"]),
        ({"answer": "5"}, ["chosen_ends_right", "rejected_ends_wrong"]),
    ],
)
def test_a_critical_token_pair_that_breaks_a_rule_is_named(change, faults):
    assert critical_pair_faults(CRITICAL_PAIR | change, CRITICAL_TEXTS, temperature=2.0) == faults


def test_two_pairs_behind_one_prefix_with_the_same_chosen_step_are_counted():
    again = STEP_PAIR | {"chosen": "2 + 2  = 4 "}
    other = STEP_PAIR | {"chosen": "so 4\n"}
    elsewhere = again | {"prefix_token_ids": [1]}
    assert repeated_steps([STEP_PAIR, again, other, elsewhere]) == 1
