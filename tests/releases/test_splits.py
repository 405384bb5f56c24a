"""Splits by problem: stable, disjoint, and near their shares."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.splits import SplitShares, split_by_problem

IDS = st.lists(st.text(max_size=8), max_size=40)
SHARES = st.builds(SplitShares, validation=st.floats(0, 0.4), test=st.floats(0, 0.4))


@given(ids=IDS, shares=SHARES)
def test_a_problem_is_on_one_side_and_no_row_is_lost(ids, shares):
    rows = pl.DataFrame({"problem_id": ids, "row": range(len(ids))}, schema={"problem_id": pl.String, "row": pl.Int64})
    parts = split_by_problem(rows, shares)
    sides = [set(part["problem_id"]) for part in parts.values()]
    assert sum(len(side) for side in sides) == len(set(ids))
    assert sorted(row for part in parts.values() for row in part["row"]) == list(range(len(ids)))
    assert all(part.height for part in parts.values())


@given(problem=st.text(), validation=st.floats(0, 0.5))
def test_what_is_in_test_stays_there_when_validation_is_cut(problem, validation):
    plain = SplitShares(test=0.2).split_of(problem)
    cut = SplitShares(test=0.2, validation=validation).split_of(problem)
    assert (plain == "test") == (cut == "test")


def test_the_split_of_an_id_is_fixed():
    assert [SplitShares(validation=0.3, test=0.3).split_of(f"p{number}") for number in range(8)] == [
        "test",
        "validation",
        "validation",
        "test",
        "validation",
        "validation",
        "test",
        "validation",
    ]


def test_shares_are_kept_over_many_problems():
    splits = [SplitShares(validation=0.2, test=0.1).split_of(str(number)) for number in range(10_000)]
    assert splits.count("test") / len(splits) == pytest.approx(0.1, abs=0.01)
    assert splits.count("validation") / len(splits) == pytest.approx(0.2, abs=0.015)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"test": 1.0}, "test must be at least 0 and below 1, got 1.0"),
        ({"validation": -0.1}, "validation must be at least 0 and below 1, got -0.1"),
        ({"test": 0.5, "validation": 0.5}, r"validation \+ test must be below 1, got 1.0"),
    ],
)
def test_shares_that_leave_no_train_are_refused(shares, message):
    with pytest.raises(ValueError, match=message):
        SplitShares(**shares)
