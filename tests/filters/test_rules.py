import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.rules import apply_rules

FRAME = pl.DataFrame({"id": [1, 2, 3, 4], "length": [5, 0, None, 50], "right": [True, False, True, True]})
RULES = {"is_empty": pl.col("length") > 0, "is_long": pl.col("length") < 40, "is_wrong": pl.col("right")}


def test_a_dropped_row_has_the_first_failing_rule_as_its_reason():
    filtered = apply_rules(FRAME, RULES)
    assert filtered.kept["id"].to_list() == [1]
    assert filtered.kept.columns == FRAME.columns
    assert filtered.dropped.select("id", "reason").rows() == [(2, "is_empty"), (3, "is_empty"), (4, "is_long")]
    assert filtered.counts() == {"is_empty": 2, "is_long": 1}


def test_later_rules_see_what_was_kept_and_add_to_what_was_dropped():
    filtered = apply_rules(FRAME, {"is_empty": pl.col("length") > 0}).then({"is_first": pl.col("id") > 1})
    assert filtered.kept["id"].to_list() == [4]
    assert filtered.counts() == {"is_empty": 2, "is_first": 1}


def test_no_rules_and_no_rows_drop_nothing():
    assert apply_rules(FRAME, {}).kept.equals(FRAME)
    assert apply_rules(FRAME.clear(), RULES).counts() == {}


def test_a_frame_that_already_has_reasons_is_refused():
    with pytest.raises(ValueError, match="no column named 'reason'"):
        apply_rules(pl.DataFrame({"reason": ["x"]}), RULES)


@given(st.lists(st.tuples(st.integers(-3, 3) | st.none(), st.booleans() | st.none())))
def test_every_row_is_kept_or_dropped_once(rows):
    frame = pl.DataFrame(rows, schema={"length": pl.Int64, "right": pl.Boolean}, orient="row").with_row_index("id")
    filtered = apply_rules(frame, RULES)
    assert sorted(filtered.kept["id"].to_list() + filtered.dropped["id"].to_list()) == frame["id"].to_list()
    assert sum(filtered.counts().values()) == filtered.dropped.height
