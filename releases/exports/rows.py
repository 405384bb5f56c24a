"""Rows as trainers want them: columns of chats joined, cut and renamed, and the Parquet files that hold them."""

from collections.abc import Callable, Iterator, Mapping
from io import BytesIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from filters.schema import MESSAGES
from releases.errors import CannotExport

MARGIN = 512  # tokens that a chat template may add to the texts of a row


def as_they_are(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows unchanged."""
    return rows


def only(*columns: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """A function that selects some columns."""
    return lambda rows: rows.select(columns)


def whole_chats(rows: pl.DataFrame) -> pl.DataFrame:
    """Prompt and completion as one chat, for trainers that learn what the assistant says in it."""
    _require_no_answers(rows)
    return rows.select(messages=pl.concat_list("prompt", "completion"))


def labelled_chats(rows: pl.DataFrame) -> pl.DataFrame:
    """Prompt and completion as one chat, with its label."""
    return pl.concat([whole_chats(rows), rows.select("label")], how="horizontal")


def whole_pairs(rows: pl.DataFrame) -> pl.DataFrame:
    """Both sides of a pair as chats that begin with the prompt."""
    return rows.select(pl.concat_list("prompt", side).alias(side) for side in ("chosen", "rejected"))


def single_answers(rows: pl.DataFrame) -> pl.DataFrame:
    """The prompt as `messages`, and each side of a pair as its one message."""
    sides = (_only_message(rows, side) for side in ("chosen", "rejected"))
    return rows.select(pl.col("prompt").alias("messages")).with_columns(*sides)


def stripped_answers(rows: pl.DataFrame) -> pl.DataFrame:
    """As `single_answers`, without white space around the answers."""
    sides = [
        pl.struct(
            pl.col(side).struct.field("role"),
            pl.col(side).struct.field("content").str.strip_chars(),
        ).alias(side)
        for side in ("chosen", "rejected")
    ]
    return single_answers(rows).with_columns(sides)


def problems(rows: pl.DataFrame) -> pl.DataFrame:
    """The prompt and the right answer of each problem, and further accepted answers if the rows have the column."""
    others = [name for name in ("also_accepted",) if name in rows.columns]
    return rows.select("prompt", *others, answer=pl.col("reward_model").struct.field("ground_truth"))


def longest_row(splits: Mapping[str, pl.DataFrame]) -> int:
    """A bound on the tokens of every row: their number where the rows hold token ids, else the bytes of the texts."""
    return max((_length(rows) for rows in splits.values()), default=0)


def parquet_files(splits: Mapping[str, pl.DataFrame]) -> Iterator[tuple[str, bytes]]:
    """Yield one file for each split, so that no loader takes the test rows for training."""
    for split, rows in splits.items():
        yield f"data/{split}.parquet", parquet(rows)


def parquet(rows: pl.DataFrame) -> bytes:
    """The rows as a Parquet file with 32-bit offsets, since others load as `large_string` and `LargeList`."""
    table = rows.to_arrow()
    schema = pa.schema([pa.field(column.name, _with_short_offsets(column.type)) for column in table.schema])
    target = BytesIO()
    pq.write_table(table.cast(schema), target, compression="zstd")
    return target.getvalue()


def _with_short_offsets(dtype: pa.DataType) -> pa.DataType:
    if pa.types.is_large_list(dtype):
        return pa.list_(pa.field("element", _with_short_offsets(dtype.value_type)))
    if pa.types.is_struct(dtype):
        return pa.struct([pa.field(part.name, _with_short_offsets(part.type)) for part in dtype])
    return pa.string() if pa.types.is_large_string(dtype) or pa.types.is_string_view(dtype) else dtype


def _only_message(rows: pl.DataFrame, column: str) -> pl.Series:
    several = rows.filter(pl.col(column).list.len() != 1).height
    if several:
        raise CannotExport(f"{several} rows have a {column} of several messages, and the trainer reads one")
    return rows[column].list.first().alias(column)


def _require_no_answers(rows: pl.DataFrame) -> None:
    """Raise CannotExport if a prompt holds an answer, which a trainer of whole chats would learn."""
    roles = rows.select(pl.col("prompt").list.eval(pl.element().struct.field("role") == "assistant").list.any())
    if roles.to_series().any():
        raise CannotExport("prompts hold answers of the assistant, and the trainer would learn them too")


def _length(rows: pl.DataFrame) -> int:
    if "input_ids" in rows.columns:
        return int(rows.select(pl.col("input_ids").list.len().max()).item() or 0)
    sizes = [_bytes(pl.col(name), dtype) for name, dtype in rows.schema.items()]
    return int(rows.select(pl.sum_horizontal(sizes).max()).item() or 0) + MARGIN


def _bytes(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == MESSAGES:
        return column.list.eval(pl.element().struct.field("content").str.len_bytes()).list.sum()
    if dtype == pl.List(pl.String):
        return column.list.eval(pl.element().str.len_bytes()).list.sum()
    return column.str.len_bytes() if dtype == pl.String else pl.lit(0)
