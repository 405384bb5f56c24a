import polars as pl
import pytest

from generators.problems.difficulty import DifficultyBounds, difficulty

VERDICTS = {True: "equal", False: "different"}


def attempts(**by_problem):
    rows = [(problem, right) for problem, rights in by_problem.items() for right in rights]
    frame = pl.DataFrame(rows, schema={"problem_id": pl.String, "is_right": pl.Boolean}, orient="row")
    return frame.with_columns(verdict=pl.col("is_right").replace_strict(VERDICTS, default="unparsed"))


def test_a_problem_is_rated_over_its_decided_attempts():
    rated = difficulty(
        attempts(e=[True, False], m=[True] + [False] * 9, h=[False] * 4, some=[True, None, None], none=[None])
    )
    assert rated.rows() == [
        ("e", 2, 1, 0, 0, 0.5, "easy"),
        ("m", 10, 1, 0, 0, 0.1, "medium"),
        ("h", 4, 0, 0, 0, 0.0, "hard"),
        ("some", 3, 1, 2, 0, 1.0, "easy"),
        ("none", 1, 0, 1, 0, None, None),
    ]


def test_the_bounds_are_settings():
    rated = difficulty(attempts(a=[True, False]), DifficultyBounds(easy=0.9, medium=0.6))
    assert rated["difficulty"].to_list() == ["hard"]


def test_no_attempts_rate_no_problem():
    assert difficulty(attempts()).is_empty()


@pytest.mark.parametrize(("bounds", "message"), [({"medium": 0}, "medium .* got 0"), ({"easy": 0.05}, "easy .* 0.05")])
def test_bounds_out_of_order_are_refused_by_name(bounds, message):
    with pytest.raises(ValueError, match=message):
        DifficultyBounds(**bounds)
