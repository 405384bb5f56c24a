"""Reads a shard block by block: a row group is decoded in pieces, and no file is ever in memory whole."""

from collections.abc import Iterator, Sequence

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from generators.rows import BLOCK_BYTES, BLOCK_ROWS
from releases.door.shards import open_shard


def schema_of(folder: UPath, path: str) -> pa.Schema:
    """The columns of a shard; raises OSError or ArrowException."""
    with open_shard(folder, path) as source:
        return pq.read_schema(source)


def height_of(folder: UPath, path: str) -> int:
    """The number of rows that a shard says it has; raises OSError or ArrowException."""
    with open_shard(folder, path) as source:
        return int(pq.read_metadata(source).num_rows)


def blocks_in(folder: UPath, path: str, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    """Yield the rows of a shard, with the named columns or with all; raises OSError or ArrowException."""
    with open_shard(folder, path) as source:
        file = pq.ParquetFile(source)
        for batch in file.iter_batches(_batch_rows(file.metadata), columns=list(columns) if columns else None):
            rows = pl.DataFrame(pa.Table.from_batches([batch]))
            yield rows.select(columns) if columns else rows


def _batch_rows(metadata: pq.FileMetaData) -> int:
    n_bytes: int = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    n_rows: int = metadata.num_rows
    return max(1, min(BLOCK_ROWS, BLOCK_BYTES * n_rows // max(1, n_bytes)))
