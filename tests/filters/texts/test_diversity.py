import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.texts.diversity import DiversitySettings, keep_different

BY_SUMS = "first we add the two numbers and then we double them"
ALIKE = "first we add the two numbers and then we double it"
BY_LISTS = "we list every case one by one and count those that fit"
BY_ALGEBRA = "let x be the unknown number and solve the equation for it"


def kept(most, *rows):
    """The texts kept of each problem."""
    frame = pl.DataFrame(rows, schema={"problem": pl.String, "text": pl.String}, orient="row")
    made = keep_different(frame, column="text", within=["problem"], settings=DiversitySettings(most=most))
    assert made.counts() == ({"less_different": made.dropped.height} if made.dropped.height else {})
    assert made.kept.columns == frame.columns
    assert made.kept.height + made.dropped.height == len(rows)
    return made.kept["text"].to_list()


@pytest.mark.parametrize(
    ("most", "texts", "left"),
    [
        (1, [BY_SUMS, BY_LISTS], [BY_SUMS]),
        (2, [BY_SUMS, ALIKE, BY_LISTS], [BY_SUMS, BY_LISTS]),
        (2, [ALIKE, BY_SUMS, BY_SUMS, BY_LISTS], [ALIKE, BY_LISTS]),
        (3, [BY_SUMS, ALIKE, BY_SUMS, BY_ALGEBRA, BY_LISTS], [BY_SUMS, BY_ALGEBRA, BY_LISTS]),
        (2, [BY_SUMS, BY_SUMS, BY_SUMS], [BY_SUMS, BY_SUMS]),
        (4, [BY_SUMS, BY_SUMS], [BY_SUMS, BY_SUMS]),
        (2, [BY_SUMS, None, None], [BY_SUMS, None]),
        (1, [], []),
    ],
)
def test_the_first_stays_and_then_whatever_is_least_like_those_that_stay(most, texts, left):
    assert kept(most, *(("a", text) for text in texts)) == left


def test_every_problem_is_chosen_from_alone():
    rows = [("a", BY_SUMS), ("b", BY_SUMS), ("a", ALIKE), ("b", BY_LISTS), ("a", BY_LISTS)]
    assert kept(2, *rows) == [BY_SUMS, BY_SUMS, BY_LISTS, BY_LISTS]


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from("ab"), st.text("ab ", max_size=12)), max_size=15), most=st.integers(1, 4)
)
def test_no_problem_keeps_more_than_asked_nor_fewer_than_it_can(rows, most):
    texts = kept(most, *rows)
    assert len(texts) == sum(min(most, sum(problem == one for one, _ in rows)) for problem in "ab")


def test_settings_out_of_bounds_are_refused_by_name():
    with pytest.raises(ValueError, match="most must be at least 1, got 0"):
        DiversitySettings(most=0)
