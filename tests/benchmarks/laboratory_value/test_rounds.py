"""What tables cost, and what can be had for as much."""

import polars as pl
import pytest

from benchmarks.laboratory_value.arms import ARMS, drawn, grid, n_pairs, right_attempts
from benchmarks.laboratory_value.rounds import Cost, Round

COSTS = {
    "attempts": Cost(rollouts=4, tokens=40),
    "process_labels": Cost(rollouts=6, tokens=30),
    "step_preference_pairs": Cost(rollouts=2, tokens=10),
    "long_cot_traces": Cost(rollouts=1, tokens=20),
}


def attempts(problems):
    return pl.DataFrame(
        [
            {
                "problem_id": problem,
                "prompt_token_ids": [1],
                "token_ids": [index + 2] * 9 + [0],
                "finish_reason": "eos",
                "is_right": index == 0,
            }
            for problem in problems
            for index in range(2)
        ]
    )


@pytest.fixture
def made(tmp_path):
    for name, table in (("round", attempts("ab")), ("further", attempts("cdefgh"))):
        (tmp_path / name).mkdir()
        table.write_parquet(tmp_path / name / "attempts.parquet")
    pl.DataFrame({"problem_id": ["a", "b"]}).write_parquet(tmp_path / "round" / "step_preference_pairs.parquet")
    pl.DataFrame({"problem_id": ["a"]}).write_parquet(tmp_path / "round" / "critical_token_pairs.parquet")
    return Round(folder=tmp_path, costs=COSTS)


def test_a_dataset_costs_what_it_drew_and_what_it_needs(made):
    assert made.cost("step_preference_pairs") == Cost(rollouts=12, tokens=80)
    assert made.cost("long_cot_traces") == Cost(rollouts=5, tokens=60)
    assert made.whole == Cost(rollouts=13, tokens=100)


@pytest.mark.parametrize(("cost_of", "problems"), [(None, 5), ("step_preference_pairs", 4), ("long_cot_traces", 3)])
def test_right_attempts_are_of_as_many_problems_as_cost_the_same_tokens(made, cost_of, problems):
    lesson = right_attempts(made, None, 0, cost_of=cost_of)
    assert (len(lesson.items), lesson.cost) == (problems, Cost(rollouts=2 * problems, tokens=20 * problems))


def test_all_arms_with_pairs_get_as_many_as_the_fewest(made):
    assert n_pairs(made, 10) == 1


def test_the_same_items_are_drawn_every_time_in_their_order(made):
    assert drawn(list(range(100)), made, 10) == drawn(list(range(100)), made, 10) == sorted(drawn(range(100), made, 10))


@pytest.mark.parametrize("name", ARMS)
def test_every_arm_chooses_from_different_settings(name):
    points = [phase.model_dump_json() for phase in grid(ARMS[name], is_short=False)]
    assert len(set(points)) == len(points) > 1
