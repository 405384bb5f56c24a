import polars as pl
import pytest
from pydantic import ValidationError

from generators.step_preference_pairs.located_errors import located_errors
from generators.step_preference_pairs.settings import Settings

SOUND = {
    "prompt": "1 + 2?",
    "verdict": "different",
    "n_attempts": 4,
    "n_attempts_right": 2,
    "steps": ["One.\n", "Two.\n", "\\boxed{3}"],
    "first_error": 1,
}


def located(rows, **bounds):
    schema = {"first_error": pl.Int64, "n_attempts": pl.Int64, "n_attempts_right": pl.Int64}
    frame = pl.DataFrame(rows, schema_overrides=schema)
    return located_errors(frame, first_error="first_error", settings=Settings(**bounds), steps=(1, 32))


CASES = [
    ({}, None),
    ({"first_error": 0}, None),
    ({"verdict": "equal"}, "right_answer"),
    ({"n_attempts_right": 0}, "too_hard"),
    ({"n_attempts_right": 4}, "too_easy"),
    ({"n_attempts": 0, "n_attempts_right": 0}, "too_hard"),
    ({"first_error": None}, "first_error_not_sure"),
    ({"first_error": -1}, "no_first_error"),
    ({"steps": ["One.\n"] * 40}, "too_many_steps"),
    ({"steps": ["One.\n", "x" * 3000]}, "step_too_long"),
    ({"steps": ["So \\boxed{4}.\n", "Wait, 5."]}, "answer_in_prompt"),
    ({"steps": ["1 + 2 = 4\n", "5"]}, "false_equation"),
    ({"steps": ["1 + 2 = 3\n", "3 + 1 = 5"]}, None),
]


@pytest.mark.parametrize(("change", "reason"), CASES)
def test_an_error_is_a_located_one_of_a_wrong_solution_to_a_problem_that_is_solved_at_times(change, reason):
    found = located([{**SOUND, **change}])
    assert found.counts() == ({reason: 1} if reason else {})


def test_the_text_before_the_error_and_the_pass_rate_are_told():
    found = located([SOUND, {**SOUND, "first_error": 0}]).kept
    assert found["initial_reason_steps"].to_list() == ["One.\n", ""]
    assert found["step_index"].to_list() == [1, 0]
    assert found["pass_rate"].to_list() == [0.5, 0.5]


def test_the_bounds_of_the_pass_rate_can_be_narrowed():
    assert located([SOUND], least_pass_rate=0.6).counts() == {"too_hard": 1}
    assert located([SOUND], most_pass_rate=0.4).counts() == {"too_easy": 1}


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"least_pass_rate": 0.0}, "greater than 0"),
        ({"most_pass_rate": 1.0}, "less than 1"),
        ({"least_pass_rate": 0.995}, "most_pass_rate must be at least least_pass_rate"),
    ],
)
def test_bounds_that_let_the_never_or_always_solved_in_are_refused(bounds, message):
    with pytest.raises(ValidationError, match=message):
        Settings(**bounds)
