"""Writes a split as Parquet shards, with equal bytes for equal rows and schema, and parses the shards' paths.

A path is `data/<config>/<split>-<number>-of-<total>.parquet`. Pages end where their content says, so that a row that is
added or changed changes the pages around it and no others: the Hub stores and transfers what is new. Numbers are not
encoded by a dictionary: a new value would change its indices in every later page, and zstd makes smaller files without.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from filters.schema import Column, Schema
from filters.widths import DataType, narrow_type
from generators.rows import Rows
from releases.manifest import Manifest

# What `datasets` takes for files of its own: `DEFAULT_CDC_OPTIONS`, `MAX_ROW_GROUP_SIZE` and `MAX_SHARD_SIZE`.
CHUNKING = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}
CHUNKING_KEY = "content_defined_chunking"
_ARROW: tuple[tuple[Any, pa.DataType], ...] = (
    (pl.String, pa.string()),
    (pl.Int64, pa.int64()),
    (pl.UInt32, pa.int64()),  # token ids, in the wide releases of an older stepmill
    (pl.Float64, pa.float64()),
    (pl.Int32, pa.int32()),
    (pl.Float32, pa.float32()),
    (pl.Boolean, pa.bool_()),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The most rows and uncompressed bytes of a shard, and the most uncompressed bytes of a row group."""

    shard_rows: int = 50_000
    shard_bytes: int = 500_000_000
    group_bytes: int = 100_000_000


def arrow_schema(schema: Schema, *, is_wide: bool = False) -> pa.Schema:
    """The Arrow schema of a release, with the meaning of each column as its description.

    Its numbers have 32 bits; those of a release by an older stepmill have 64 (`is_wide`).
    """
    return pa.schema(
        [
            _arrow_field(name, column, column.dtype if is_wide else narrow_type(column.dtype))
            for name, column in schema.columns.items()
        ]
    )


def _arrow_field(name: str, column: Column, dtype: DataType) -> pa.Field:
    is_list = isinstance(dtype, pl.List)
    arrow = _arrow_type(dtype.inner if isinstance(dtype, pl.List) else dtype, column.nullable_fields)
    if is_list:
        arrow = pa.list_(pa.field("element", arrow, nullable=column.nullable_items))
    return pa.field(name, arrow, nullable=column.nullable, metadata={"description": column.meaning})


def _arrow_type(dtype: Any, nullable_fields: tuple[str, ...] = ()) -> pa.DataType:
    if isinstance(dtype, pl.Struct):
        types = {field.name: _arrow_type(field.dtype, nullable_fields) for field in dtype.fields}
        return pa.struct([pa.field(name, kind, nullable=name in nullable_fields) for name, kind in types.items()])
    if isinstance(dtype, pl.List):
        return pa.list_(pa.field("element", _arrow_type(dtype.inner, nullable_fields), nullable=False))
    return next(arrow for known, arrow in _ARROW if dtype == known)


def shards(rows: Rows, schema: Schema, *, split: str, bounds: Bounds | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield the name, such as `train-00000-of-00002.parquet`, and the bytes of each shard.

    The rows are read twice, since the first name says how many shards there are.
    """
    bounds = bounds or Bounds()
    columns = arrow_schema(schema)
    plan = _planned(_groups(rows, columns, bounds), bounds)
    groups = _groups(rows, columns, bounds)
    for number, n_groups in enumerate(plan):
        content = _parquet(islice(groups, n_groups), columns)
        yield f"{split}-{number:05d}-of-{len(plan):05d}.parquet", content


def _groups(rows: Rows, columns: pa.Schema, bounds: Bounds) -> Iterator[pa.Table]:
    """Yield the row groups, each as long as its bound on bytes and the bound on a shard's rows allow."""
    waiting, left = columns.empty_table(), bounds.shard_rows
    for block in rows.blocks():
        waiting = pa.concat_tables([waiting, _arrow(block, columns)]).combine_chunks()
        while waiting.num_rows > left or waiting.nbytes > bounds.group_bytes:
            length = _fitting(waiting.slice(0, left), bounds.group_bytes)
            if length == waiting.num_rows:
                break
            yield waiting.slice(0, length)
            waiting, left = waiting.slice(length), left - length or bounds.shard_rows
    if waiting.num_rows:
        yield waiting


def _planned(groups: Iterator[pa.Table], bounds: Bounds) -> list[int]:
    """How many row groups each shard has: as many as its bounds on rows and bytes allow, and at least one."""
    plan: list[int] = []
    n_rows = n_bytes = 0
    for group in groups:
        n_rows, n_bytes = n_rows + group.num_rows, n_bytes + group.nbytes
        if not plan or n_rows > bounds.shard_rows or n_bytes > bounds.shard_bytes:
            plan.append(0)
            n_rows, n_bytes = group.num_rows, group.nbytes
        plan[-1] += 1
    return plan


def _arrow(frame: pl.DataFrame, columns: pa.Schema) -> pa.Table:
    # Via Arrow, because polars only writes types with 64-bit offsets, and those load as `large_string` and `LargeList`.
    return frame.to_arrow().cast(columns)


def _fitting(table: pa.Table, most_bytes: int) -> int:
    """How many rows from the first on have at most so many bytes; at least one."""
    lengths = range(1, table.num_rows + 1)
    return max(1, bisect_right(lengths, most_bytes, key=lambda length: table.slice(0, length).nbytes))


def _parquet(groups: Iterable[pa.Table], columns: pa.Schema) -> bytes:
    target = BytesIO()
    with pq.ParquetWriter(
        target,
        columns,
        compression="zstd",
        use_dictionary=False,
        write_page_index=True,
        use_content_defined_chunking=CHUNKING,
    ) as writer:
        for group in groups:
            writer.write_table(group.combine_chunks(), row_group_size=group.num_rows)
        writer.add_key_value_metadata({CHUNKING_KEY: json.dumps(CHUNKING)})
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
