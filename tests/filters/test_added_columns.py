"""Tables in files of an older stepmill, which lack what was added since."""

import polars as pl
import pytest

from filters.schema import Column, Schema, SchemaError

RULE = pl.Struct(
    {"unit": pl.String, "inner": pl.Struct({"n": pl.Int64, "close": pl.Float64}), "more": pl.List(pl.String)}
)
TABLE = Schema(
    name="table",
    columns={
        "golds": Column(pl.List(pl.String), "", added=True),
        "key": Column(pl.Int64, ""),
        "found_by": Column(pl.String, "", nullable=True, added=True),
        "rule": Column(
            RULE, "", nullable=True, nullable_fields=("close",), added_fields=(("close", None), ("more", ["a"]))
        ),
    },
)
OLD = pl.DataFrame(
    {"key": [1, 2], "rule": [{"unit": "m", "inner": {"n": 3}}, None]},
    schema={"key": pl.Int64, "rule": pl.Struct({"unit": pl.String, "inner": pl.Struct({"n": pl.Int64})})},
)
WHOLE = [
    {"golds": [], "key": 1, "found_by": None, "rule": {"unit": "m", "inner": {"n": 3, "close": None}, "more": ["a"]}},
    {"golds": [], "key": 2, "found_by": None, "rule": None},
]


def test_added_columns_and_fields_read_as_empty_in_the_declared_order():
    whole = TABLE.validate(TABLE.completed(OLD))
    assert whole.to_dicts() == WHOLE and whole.columns == list(TABLE.columns)
    assert TABLE.completed(OLD.clear()).schema == TABLE.empty().schema


def test_a_table_that_lacks_nothing_stays_as_it_is():
    whole = TABLE.completed(OLD)
    assert TABLE.completed(whole).equals(whole)


def test_the_schema_of_an_older_file_has_neither_added_columns_nor_added_fields():
    older = TABLE.as_written(OLD.schema)
    assert older.validate(OLD).equals(OLD)
    assert TABLE.as_written(TABLE.completed(OLD).schema).columns == TABLE.columns


def test_a_column_that_was_always_there_is_still_missed():
    with pytest.raises(SchemaError, match="table lacks key"):
        TABLE.validate(TABLE.completed(OLD.drop("key")))
