"""Published columns of every kind: words, Arrow type, which null they refuse."""

import polars as pl
import pyarrow as pa
import pytest

from filters.schema import SchemaError
from generators.columns import MESSAGES
from releases.parquet import shards
from releases.schemas import PublishedColumn, PublishedSchema

CHAT = [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}]
TURN = pa.struct([pa.field("role", pa.string(), nullable=False), pa.field("content", pa.string(), nullable=False)])


def column(dtype, **nullable):
    return PublishedColumn(name="c", dtype=dtype, meaning="What it means.", **nullable)


def validate(values, **nullable):
    schema = PublishedSchema(name="table", columns=(column(MESSAGES, **nullable),))
    return schema.validate(pl.DataFrame({"c": values}, schema={"c": MESSAGES}))


@pytest.mark.parametrize(
    ("dtype", "nullable", "words", "arrow"),
    [
        (pl.String, {}, "string", pa.string()),
        (pl.Int64, {"nullable": True}, "int64 (nullable)", pa.int64()),
        (
            pl.List(pl.Float64),
            {"nullable_items": True},
            "list of float64 or null",
            pa.list_(pa.field("element", pa.float64())),
        ),
        (
            MESSAGES,
            {},
            "list of {role: string, content: string}",
            pa.list_(pa.field("element", TURN, nullable=False)),
        ),
    ],
)
def test_a_column_has_its_type_in_words_and_in_arrow(dtype, nullable, words, arrow):
    assert column(dtype, **nullable).words == words
    assert column(dtype, **nullable).to_arrow().type == arrow


def test_messages_come_back_from_parquet_as_they_were():
    schema = PublishedSchema(name="table", columns=(column(MESSAGES),))
    frame = pl.DataFrame({"c": [CHAT, [], CHAT[:1]]}, schema={"c": MESSAGES})
    ((_, content),) = shards(schema.validate(frame), schema, split="train")
    assert pl.read_parquet(content).equals(frame)


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
    with pytest.raises(SchemaError, match="column c holds a null in 1 of 2 rows, first row 1"):
        validate([CHAT, chat])


def test_messages_may_be_null_where_that_is_said():
    assert validate([CHAT, None], nullable=True).height == 2
    assert validate([[None]], nullable_items=True).height == 1


def test_another_struct_is_no_chat():
    schema = PublishedSchema(name="table", columns=(column(MESSAGES),))
    with pytest.raises(SchemaError, match="column c must be"):
        schema.validate(pl.DataFrame({"c": [[{"role": "user"}]]}))
