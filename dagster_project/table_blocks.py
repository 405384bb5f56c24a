"""Reads the table of one slice block by block, as its file has the rows."""

from collections.abc import Iterator, Sequence
from itertools import chain

import polars as pl
import pyarrow.parquet as pq
from upath import UPath

from generators.blocks import readable
from generators.datasets import completed
from releases.parquet_blocks import decoded


def blocks_of_table(path: UPath, name: str, columns: Sequence[str] | None) -> Iterator[pl.DataFrame]:
    """The rows of a table's file in blocks, at least one, with what an older stepmill did not write of the columns.

    Raises StorageError.
    """
    with readable(path), path.open("rb") as source:
        file = pq.ParquetFile(source)
        present = file.schema_arrow.names
        wanted = present if columns is None else [column for column in columns if column in present]
        blocks = decoded(file, wanted)
        first = next(blocks, None)
        empty = pl.DataFrame(file.schema_arrow.empty_table()).select(wanted)
        for block in chain([empty if first is None else first], blocks):
            rows = completed(name, block)
            yield rows.select(columns) if columns is not None else rows


def height_of_table(path: UPath) -> int:
    """The number of rows of a table's file; raises StorageError."""
    with readable(path), path.open("rb") as source:
        return int(pq.read_metadata(source).num_rows)
