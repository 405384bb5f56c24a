import polars as pl
import pytest

from releases.errors import UnknownColumn
from releases.showing import drawn, shown

ROWS = pl.DataFrame(
    {"a": [1, 2], "texts": [["one\n", "two"], ["x"]], "long": ["y" * 81, "short"], "fenced": ["~~~\ncode", ""]}
)


def test_short_values_stand_in_the_line_and_long_ones_below_it():
    assert shown(ROWS.head(1), ["a", "long"]) == f"### Row 1\n\n**a**: `1`\n\n**long**\n\n~~~text\n{'y' * 81}\n~~~"


def test_texts_stand_one_a_line_and_a_fence_inside_a_text_ends_nothing():
    assert shown(ROWS.head(1), ["texts"]) == "### Row 1\n\n**texts**\n\n~~~text\none\ntwo\n~~~"
    assert shown(ROWS.head(1), ["fenced"]).endswith("~~~~text\n~~~\ncode\n~~~~")


def test_all_columns_are_shown_where_none_is_named_and_no_rows_say_so():
    assert [line for line in shown(ROWS.tail(1), []).split("\n") if line] == [
        "### Row 1",
        "**a**: `2`",
        "**texts**: `x`",
        "**long**: `short`",
        "**fenced**: -",
    ]
    assert shown(ROWS.clear(), []) == "no rows"


def test_an_empty_value_is_a_dash_in_lists_too():
    row = pl.DataFrame(
        {"null": [None], "list": [[]], "labels": [[True, None]], "answers": [["4", None]], "zero": [0]},
        schema_overrides={"list": pl.List(pl.Int64)},
    )
    assert shown(row, []).split("\n\n")[1:5] == ["**null**: -", "**list**: -", "**labels**: `[True, -]`", "**answers**"]
    assert "\n4\n-\n" in shown(row, [])
    assert shown(row, ["zero"]).endswith("**zero**: `0`")


def test_omitted_columns_are_shown_only_if_they_are_named():
    assert "**a**" not in shown(ROWS, [], omitted=["a"])
    assert shown(ROWS.head(1), ["a"], omitted=["a"]).endswith("**a**: `1`")


def test_an_unknown_column_is_an_error_that_names_the_nearest():
    with pytest.raises(UnknownColumn, match=r"no column text; there are a, texts, long, fenced; did you mean texts\?"):
        shown(ROWS, ["text"])


def test_rows_are_drawn_by_seed_in_their_own_order_and_no_more_than_there_are():
    rows = pl.DataFrame({"n": range(100)})
    assert drawn(rows, n=7, seed=1)["n"].is_sorted()
    assert drawn(rows, n=7, seed=1).equals(drawn(rows, n=7, seed=1))
    assert not drawn(rows, n=7, seed=1).equals(drawn(rows, n=7, seed=2))
    assert drawn(ROWS, n=9, seed=0).height == 2
