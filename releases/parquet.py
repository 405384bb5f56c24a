"""A split as Parquet shards: the same rows and schema give the same bytes.

Knows nothing of versions or folders.
"""

from collections.abc import Iterator
from io import BytesIO

import polars as pl
import pyarrow.parquet as pq

from releases.schemas import PublishedSchema

ROWS_PER_SHARD = 50_000
_ROWS_PER_GROUP = 1_000


def shards(
    frame: pl.DataFrame, schema: PublishedSchema, *, split: str, rows_per_shard: int = ROWS_PER_SHARD
) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each shard: `train-00000-of-00002.parquet`, ..."""
    total = -(-frame.height // rows_per_shard)
    for number, part in enumerate(frame.iter_slices(rows_per_shard)):
        yield f"{split}-{number:05d}-of-{total:05d}.parquet", _parquet(part, schema)


def _parquet(frame: pl.DataFrame, schema: PublishedSchema) -> bytes:
    # Through Arrow, since polars writes 64-bit offset types only, and those load as `large_string` and `LargeList`.
    target = BytesIO()
    table = frame.to_arrow().cast(schema.to_arrow())
    pq.write_table(table, target, compression="zstd", row_group_size=_ROWS_PER_GROUP)
    return target.getvalue()
