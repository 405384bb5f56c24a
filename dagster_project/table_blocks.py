"""Reads the table of one slice block by block, as its file has the rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

import polars as pl
import pyarrow as pa
from upath import UPath

from generators.datasets import completed
from generators.sampling.storage import StorageError
from releases.shard_blocks import blocks_in, height_of, schema_of


def blocks_of_table(path: UPath, name: str, columns: Sequence[str] | None) -> Iterator[pl.DataFrame]:
    """The rows of a table's file in blocks, at least one, with what an older stepmill did not write of the columns.

    Raises StorageError.
    """
    with _explained(path):
        present = schema_of(path.parent, path.name)
        wanted = None if columns is None else [column for column in columns if column in present.names]
        blocks = blocks_in(path.parent, path.name, wanted)
        first = next(blocks, None)
        empty = pl.DataFrame(present.empty_table()).select(wanted or present.names)
        for block in chain([empty if first is None else first], blocks):
            rows = completed(name, block)
            yield rows.select(columns) if columns is not None else rows


def height_of_table(path: UPath) -> int:
    """The number of rows of a table's file; raises StorageError."""
    with _explained(path):
        return height_of(path.parent, path.name)


@contextmanager
def _explained(path: UPath) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as missing:
        raise StorageError(f"{path} does not exist: materialise the asset that writes it first") from missing
    except (OSError, pa.ArrowException) as error:
        raise StorageError(
            f"{path} cannot be read as Parquet ({error}): move it away and materialise it again"
        ) from error
