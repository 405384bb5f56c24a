import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.rules import Filtered
from generators.process_labels.balance import left_out

ROWS = st.lists(st.booleans() | st.none(), max_size=40)


def balance(rows, **bounds):
    reasons = rows.with_columns(reason=left_out(rows, **bounds))
    return Filtered(rows.filter(reasons["reason"].is_null()), reasons.filter(pl.col("reason").is_not_null()))


def balanced(labels, most=1, dtype=pl.Boolean):
    rows = pl.DataFrame({"id": range(len(labels)), "right": labels}, schema={"id": pl.Int64, "right": dtype})
    return balance(rows, labels="right", key=["id"], most=most)


@pytest.mark.parametrize(
    ("labels", "most", "kept", "counts"),
    [
        ([True] * 6 + [False] * 2, 1, (2, 2), {"frequent_label": 4}),
        ([True] * 6 + [False] * 2, 1.5, (3, 2), {"frequent_label": 3}),
        ([False] * 6 + [True] * 2, 2, (2, 4), {"frequent_label": 2}),
        ([True] * 3 + [False] * 2, 2, (3, 2), {}),
        ([True, None, False], 1, (1, 1), {"no_label": 1}),
        ([True] * 4, 3, (0, 0), {"frequent_label": 4}),
        ([], 1, (0, 0), {}),
    ],
)
def test_the_more_frequent_label_is_cut_down_to_the_ratio(labels, most, kept, counts):
    made = balanced(labels, most)
    right = made.kept["right"]
    assert (int(right.sum()), int((~right).sum())) == kept
    assert made.counts() == counts
    assert made.kept.columns == ["id", "right"]


@given(ROWS, st.sampled_from([1, 1.5, 2, 5]), st.randoms())
def test_which_rows_stay_does_not_depend_on_their_order(labels, most, chance):
    rows = pl.DataFrame(
        {"id": [f"row {n}" for n in range(len(labels))], "right": labels}, schema_overrides={"right": pl.Boolean}
    )
    order = list(range(len(labels)))
    chance.shuffle(order)
    made, other = (balance(frame, labels="right", key=["id"], most=most) for frame in (rows, rows[order]))
    assert sorted(made.kept["id"]) == sorted(other.kept["id"])
    assert sorted([*made.kept["id"], *made.dropped["id"]]) == sorted(rows["id"])
    n_right, n_wrong = made.kept["right"].sum(), (~made.kept["right"]).sum()
    assert n_right <= most * n_wrong
    assert n_wrong <= most * n_right


def test_rows_with_labels_of_steps_go_where_all_their_labels_are_the_frequent_one():
    steps = [[True, False], [True] * 5, [False], [True, True], [], None, [True, None]]
    made = balanced(steps, most=1, dtype=pl.List(pl.Boolean))
    assert made.counts() == {"frequent_label": 3, "no_label": 2}
    assert made.kept["right"].to_list() == [[True, False], [False]]
    loose = balanced(steps, most=2, dtype=pl.List(pl.Boolean))
    assert {"[True, False]", "[False]"} <= set(map(str, loose.kept["right"].to_list()))
    assert loose.kept["right"].explode().sum() <= 4


def test_masked_steps_count_as_no_label():
    steps = [[1, -100], [0, -100, -100], [-100, -100]]
    made = balanced(steps, most=1, dtype=pl.List(pl.Int64))
    assert made.kept["right"].to_list() == steps[:2]
    assert made.counts() == {"no_label": 1}


def test_a_key_that_names_two_rows_is_refused():
    rows = pl.DataFrame({"problem": ["a", "a"], "attempt": [0, 1], "right": [True, False]})
    assert balance(rows, labels="right", key=["problem", "attempt"], most=1).kept.height == 2
    with pytest.raises(ValueError, match="key must name every row once: problem does not"):
        balance(rows, labels="right", key=["problem"], most=1)


def test_a_ratio_below_one_is_refused():
    with pytest.raises(ValueError, match=r"most must be at least 1, got 0\.5"):
        balanced([True], most=0.5)
