import polars as pl
import pytest

from filters.schema import MESSAGES, Column
from releases.viewing.cells import cells, filter_of


@pytest.mark.parametrize(
    ("values", "dtype", "json"),
    [
        ([1, None, 2**53, 2**53 + 1], pl.Int64, [1, None, 2**53, "9007199254740993"]),
        ([0.1234567, float("nan"), float("inf")], pl.Float64, [0.123457, "nan", "inf"]),
        ([0.5, 1 / 3], pl.Float32, [0.5, 0.333333]),
        ([[1.0, None], []], pl.List(pl.Float64), [[1.0, None], []]),
        ([True, None], pl.Boolean, [True, None]),
        ([[{"role": "user", "content": "x"}]], MESSAGES, [[{"role": "user", "content": "x"}]]),
    ],
)
def test_values_are_json_that_a_browser_holds(values, dtype, json):
    assert cells(pl.Series(values, dtype=dtype)) == json


@pytest.mark.parametrize(
    ("values", "dtype", "by"),
    [
        (["a", None, "b", "a"], pl.String, {"by": "choice", "values": ["a", "b"]}),
        ([["b"], ["a", "b"]], pl.List(pl.String), {"by": "choice", "values": ["a", "b"]}),
        ([True, False], pl.Boolean, {"by": "choice", "values": [False, True]}),
        ([f"text {n}" for n in range(25)], pl.String, {"by": "text"}),
        ([3, 1], pl.Int32, {"by": "range", "least": 1, "most": 3}),
        ([[0.5], [0.25, None]], pl.List(pl.Float64), {"by": "range", "least": 0.25, "most": 0.5}),
        ([[{"role": "user", "content": "x"}]], MESSAGES, {"by": "text"}),
        ([{"rule": "x"}], pl.Struct({"rule": pl.String}), None),
        ([None, None], pl.String, None),
        ([[], []], pl.List(pl.Int64), None),
    ],
)
def test_a_filter_follows_from_type_and_values(values, dtype, by):
    assert filter_of(pl.Series(values, dtype=dtype), Column(dtype, "")) == by


def test_columns_of_tokens_have_no_filter():
    assert filter_of(pl.Series([[1, 2]]), Column(pl.List(pl.Int64), "", tokenwise=True)) is None
