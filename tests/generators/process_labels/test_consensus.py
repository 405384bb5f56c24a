import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.rules import apply_rules
from generators.process_labels.consensus import agreement, consensus, same_first_error

TABLE = [
    (2, 2, None),
    (-1, -1, None),
    (0, 0, None),
    (2, 3, "judge_disagrees"),
    (-1, 2, "judge_disagrees"),
    (2, -1, "judge_disagrees"),
    (2, None, "judge_no_verdict"),
    (None, 2, "label_not_sure"),
    (None, None, "label_not_sure"),
]


def reason_of(label, judged):
    frame = pl.DataFrame(
        {"first_error": [label], "judge_first_error": [judged]},
        schema={"first_error": pl.Int64, "judge_first_error": pl.Int64},
    )
    return next(iter(apply_rules(frame, same_first_error()).counts()), None)


@pytest.mark.parametrize(("label", "judged", "reason"), TABLE)
def test_a_row_is_kept_when_both_name_the_same_step_or_none(label, judged, reason):
    assert reason_of(label, judged) == reason


def test_every_row_agrees_differs_or_has_a_silent_side():
    frame = pl.DataFrame({"first_error": [row[0] for row in TABLE], "judge_first_error": [row[1] for row in TABLE]})
    assert agreement(frame) == {"same_step": 2, "both_none": 1, "differ": 3, "silent": 3}
    assert agreement(frame.clear()) == {"same_step": 0, "both_none": 0, "differ": 0, "silent": 0}


def test_the_columns_may_have_other_names():
    frame = pl.DataFrame({"rollouts": [1, 1], "judge": [1, 0]})
    assert apply_rules(frame, same_first_error("rollouts", "judge")).kept.rows() == [(1, 1)]


@given(st.none() | st.integers(-1, 3), st.none() | st.integers(-1, 3))
def test_the_rules_keep_what_the_consensus_keeps(label, judged):
    assert (reason_of(label, judged) is None) == consensus(label, judged)
