"""Decodes an open Parquet file block by block: a row group is taken in pieces, and no file is ever in memory whole."""

from collections.abc import Iterator, Sequence

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from generators.rows import BLOCK_BYTES, BLOCK_ROWS


def decoded(file: pq.ParquetFile, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Yield the rows of a file in the named columns; raises OSError or ArrowException."""
    for batch in file.iter_batches(_batch_rows(file.metadata), columns=list(columns)):
        yield pl.DataFrame(pa.Table.from_batches([batch])).select(columns)


def _batch_rows(metadata: pq.FileMetaData) -> int:
    n_bytes: int = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    n_rows: int = metadata.num_rows
    return max(1, min(BLOCK_ROWS, BLOCK_BYTES * n_rows // max(1, n_bytes)))
