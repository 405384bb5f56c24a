"""Writes a split as Parquet shards, with equal bytes for equal rows and schema, and parses the shards' paths.

A path is `data/<config>/<split>-<number>-of-<total>.parquet`.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from filters.schema import Column, Schema
from releases.manifest import Manifest

ROWS_PER_SHARD = 50_000
_ROWS_PER_GROUP = 1_000
_ARROW: tuple[tuple[Any, pa.DataType], ...] = (
    (pl.String, pa.string()),
    (pl.Int64, pa.int64()),
    (pl.Float64, pa.float64()),
    (pl.Boolean, pa.bool_()),
)


def arrow_schema(schema: Schema) -> pa.Schema:
    """The Arrow schema, with the meaning of each column as its description."""
    return pa.schema([_arrow_field(name, column) for name, column in schema.columns.items()])


def _arrow_field(name: str, column: Column) -> pa.Field:
    is_list = isinstance(column.dtype, pl.List)
    inner = column.dtype.inner if isinstance(column.dtype, pl.List) else column.dtype
    arrow = _arrow_type(inner, column.nullable_fields)
    if is_list:
        arrow = pa.list_(pa.field("element", arrow, nullable=column.nullable_items))
    return pa.field(name, arrow, nullable=column.nullable, metadata={"description": column.meaning})


def _arrow_type(dtype: Any, nullable_fields: tuple[str, ...] = ()) -> pa.DataType:
    if isinstance(dtype, pl.Struct):
        types = {field.name: _arrow_type(field.dtype) for field in dtype.fields}
        return pa.struct([pa.field(name, kind, nullable=name in nullable_fields) for name, kind in types.items()])
    return next(arrow for known, arrow in _ARROW if dtype == known)


def shards(
    frame: pl.DataFrame, schema: Schema, *, split: str, rows_per_shard: int = ROWS_PER_SHARD
) -> Iterator[tuple[str, bytes]]:
    """Yield the name, such as `train-00000-of-00002.parquet`, and the bytes of each shard."""
    total = -(-frame.height // rows_per_shard)
    for number, part in enumerate(frame.iter_slices(rows_per_shard)):
        yield f"{split}-{number:05d}-of-{total:05d}.parquet", _parquet(part, schema)


def _parquet(frame: pl.DataFrame, schema: Schema) -> bytes:
    # Via Arrow, because polars only writes types with 64-bit offsets, and those load as `large_string` and `LargeList`.
    target = BytesIO()
    table = frame.to_arrow().cast(arrow_schema(schema))
    pq.write_table(table, target, compression="zstd", row_group_size=_ROWS_PER_GROUP)
    return target.getvalue()


_PATH = re.compile(r"data/([^/]+)/([a-z]+)-(\d{5})-of-(\d{5})\.parquet")


class Shard(NamedTuple):
    """A shard's path and the parts of it."""

    path: str
    config: str
    split: str
    number: int
    total: int

    @property
    def siblings(self) -> tuple[str, ...]:
        """The paths of all shards of its split, in order."""
        folder, _, _ = self.path.rpartition("/")
        return tuple(f"{folder}/{self.split}-{number:05d}-of-{self.total:05d}.parquet" for number in range(self.total))


def shards_of(manifest: Manifest) -> Iterator[Shard]:
    """Yield the Parquet files that a manifest lists, in its order."""
    for file in manifest.files:
        match = _PATH.fullmatch(file.path)
        if match:
            yield Shard(file.path, match[1], match[2], int(match[3]), int(match[4]))
