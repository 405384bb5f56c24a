"""Columns of every kind: words, Arrow type, which null they refuse."""

import polars as pl
import pyarrow as pa
import pytest

from filters.schema import MESSAGES, Column, Schema, SchemaError
from generators.rows import Rows
from releases.parquet import arrow_schema, shards

CHAT = [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}]
FACTS = pl.Struct({"index": pl.String, "rate": pl.Float64, "rule": pl.Struct({"percent": pl.String})})
TURN = pa.struct([pa.field("role", pa.string(), nullable=False), pa.field("content", pa.string(), nullable=False)])


def column(dtype, **nullable):
    return Column(dtype, "What it means.", **nullable)


def validate(values, **nullable):
    schema = Schema(name="table", columns={"c": column(MESSAGES, **nullable)})
    return schema.validate(pl.DataFrame({"c": values}, schema={"c": MESSAGES}))


@pytest.mark.parametrize(
    ("dtype", "nullable", "words", "arrow"),
    [
        (pl.String, {}, "string", pa.string()),
        (pl.Int64, {"nullable": True}, "int32 (nullable)", pa.int32()),
        (
            pl.List(pl.Float64),
            {"nullable_items": True},
            "list of float32 or null",
            pa.list_(pa.field("element", pa.float32())),
        ),
        (
            MESSAGES,
            {},
            "list of {role: string, content: string}",
            pa.list_(pa.field("element", TURN, nullable=False)),
        ),
        (
            FACTS,
            {"nullable_fields": ("rate",)},
            "{index: string, rate: float32 or null, rule: {percent: string}}",
            pa.struct(
                [
                    pa.field("index", pa.string(), nullable=False),
                    pa.field("rate", pa.float32()),
                    pa.field("rule", pa.struct([pa.field("percent", pa.string(), nullable=False)]), nullable=False),
                ]
            ),
        ),
    ],
)
def test_a_column_has_its_type_in_words_and_in_arrow(dtype, nullable, words, arrow):
    assert column(dtype, **nullable).words == words
    assert arrow_schema(Schema(name="t", columns={"c": column(dtype, **nullable)})).field("c").type == arrow


def test_messages_come_back_from_parquet_as_they_were():
    schema = Schema(name="table", columns={"c": column(MESSAGES)})
    frame = pl.DataFrame({"c": [CHAT, [], CHAT[:1]]}, schema={"c": MESSAGES})
    ((_, content),) = shards(Rows.of(schema.validate(frame)), schema, split="train")
    assert pl.read_parquet(content).equals(frame)


def test_a_struct_comes_back_from_parquet_as_it_was_and_only_its_nullable_fields_may_be_null():
    schema = Schema(name="table", columns={"c": column(FACTS, nullable_fields=("rate",))})

    def checked(**changed):
        facts = {"index": "p1", "rate": None, "rule": {"percent": "number"}} | changed
        return schema.validate(pl.DataFrame({"c": [facts]}, schema={"c": FACTS}))

    ((_, content),) = shards(Rows.of(checked()), schema, split="train")
    assert pl.read_parquet(content).equals(checked())
    with pytest.raises(SchemaError, match="c: no_nulls is broken by 1 of 1 rows"):
        checked(index=None)


@pytest.mark.parametrize(
    "chat",
    [
        None,
        [None],
        [*CHAT, {"role": "user", "content": None}],
        [{"role": None, "content": "4"}],
    ],
)
def test_messages_without_a_role_or_a_content_are_refused(chat):
    with pytest.raises(SchemaError, match=r"table\.c: no_nulls is broken by 1 of 2 rows"):
        validate([CHAT, chat])


def test_messages_may_be_null_where_that_is_said():
    assert validate([CHAT, None], nullable=True).height == 2
    assert validate([[None]], nullable_items=True).height == 1


def test_another_struct_is_no_chat():
    schema = Schema(name="table", columns={"c": column(MESSAGES)})
    with pytest.raises(SchemaError, match=r"table\.c must be"):
        schema.validate(pl.DataFrame({"c": [[{"role": "user"}]]}))


def test_a_column_too_many_and_one_too_few_are_named():
    schema = Schema(name="table", columns={"c": column(pl.String)})
    with pytest.raises(SchemaError, match="table lacks c and has d: its columns are c"):
        schema.validate(pl.DataFrame({"d": ["x"]}))


def test_a_schema_is_published_under_another_name_with_its_rules_and_key():
    schema = Schema(
        name="t", columns={"a": column(pl.Int64), "b": column(pl.Int64)}, key=("a",), rules={"r": pl.lit(True)}
    )
    published = schema.published("t/default", schema.only("b", "a"))
    assert (published.name, list(published.columns), published.key) == ("t/default", ["b", "a"], ("a",))
    assert published.rules.keys() == {"r"}
