"""Comparisons of arms and of labels on literal results, and their tables."""

import json

import pytest

from benchmarks.laboratory_value.arms import BASE
from benchmarks.laboratory_value.figures import by_problem, of_arms, of_rewards
from benchmarks.laboratory_value.picture import draw
from benchmarks.laboratory_value.report import arms_table, panels, rewards_table, to_json


def result(*rights):
    solved = [{"n": 64, "n_right": right, "n_votes": 8, "n_votes_right": right // 8, "tokens": 640} for right in rights]
    return {"solved": solved, "recovered": [0.25, 0.5]}


BASE_RESULT = result(16, 32)
RESULTS = {"dpo": [result(20, 36), result(28, 44)], "step_dpo": [result(36, 52), result(44, 60)]}
COSTS = {name: {"rows": 10, "rollouts": 20, "tokens": 200} for name in RESULTS}
REWARDS = {
    "released_hard": [{"order": [0.8, None], "best_of_8": [0.5, 1], "weighted": [0, 1], "first_error_f1": [0.5, 0.6]}],
    "truth": [{"order": [0.9, None], "best_of_8": [1, 1], "weighted": [1, 1], "first_error_f1": [0.9, 0.9]}],
}


@pytest.mark.parametrize(
    ("figure", "values"),
    [
        ("pass_at_1", [0.25, 0.5]),
        ("majority_at_8", [0.25, 0.5]),
        ("pass_at_64", [1.0, 1.0]),
        ("tokens", [10.0, 10.0]),
        ("recovery", [0.25, 0.5]),
    ],
)
def test_every_figure_is_one_number_a_problem(figure, values):
    assert by_problem(BASE_RESULT, figure) == values


def test_pass_at_64_is_measured_where_there_are_64_samples():
    few = {"solved": [{"n": 8, "n_right": 4}, {"n": 64, "n_right": 0}]}
    assert by_problem(few, "pass_at_64") == [0.0]


def test_an_arm_is_compared_with_the_policy_and_with_its_baseline():
    found = {(each.name, each.against): each for each in of_arms(BASE_RESULT, RESULTS) if each.figure == "pass_at_1"}
    assert set(found) == {("dpo", BASE), ("step_dpo", BASE), ("step_dpo", "dpo")}
    assert found["dpo", BASE].gain.mean == pytest.approx(8 / 64)
    assert found["step_dpo", "dpo"].gain.mean == pytest.approx(16 / 64)
    assert found["step_dpo", "dpo"].gain.low == pytest.approx(16 / 64)  # the same in every seed and problem


def test_labels_are_compared_with_released_ones_and_choices_with_a_plain_majority():
    rewards = {name: [seed | {"order": [0.8, 0.6]} for seed in seeds] for name, seeds in REWARDS.items()}
    found = {(each.name, each.figure, each.against): each.gain.mean for each in of_rewards(rewards, [0.0, 1.0])}
    assert found["truth", "weighted", "majority"] == 0.5
    assert found["truth", "weighted", "released_hard"] == 0.5
    assert found["released_hard", "weighted", "majority"] == 0.0
    assert found["released_hard", "order", "chance"] == pytest.approx(0.2)


def test_tables_picture_and_json_hold_every_arm_and_kind(tmp_path):
    rewards = {name: [seed | {"order": [0.8, 0.6]} for seed in seeds] for name, seeds in REWARDS.items()}
    arms, labels = of_arms(BASE_RESULT, RESULTS), of_rewards(rewards, [0.0, 1.0])
    costs = {name: {"solutions": 5, "rollouts": 9, "labelled": 0.75, "true": 1.0} for name in REWARDS}
    base = dict.fromkeys(("pass_at_1", "majority_at_8", "pass_at_64", "tokens", "recovery"), 0.5)
    assert "| Step-DPO | 10 | 20 | 200 | 0.750 |" in arms_table(base, arms, COSTS)
    assert "+0.250 (+0.250 to +0.250) over DPO on whole solutions" in arms_table(base, arms, COSTS)
    assert "| The truth of the released solutions | 5 | 9 | 0.75 | 1.000 |" in rewards_table(labels, costs)
    written = json.loads(json.dumps(to_json(arms, COSTS) | to_json(labels, costs)))
    assert written["step_dpo"]["figures"]["pass_at_1"][1]["against"] == "dpo"
    draw(panels(arms, labels), tmp_path / "gains.png")
    assert (tmp_path / "gains.png").stat().st_size > 10_000
