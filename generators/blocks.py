"""Tables of one Parquet file that are written and read block by block, so that a run holds a few blocks of any table.

A block is a row group: whole problems, of about a megabyte. The file of a table that is being written has a temporary
name beside its own; `place` gives it its own, or uploads it to an object store.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from filters.schema import Schema, SchemaError
from generators.rows import BLOCK_BYTES, BLOCK_ROWS, PROBLEM, between_problems
from generators.sampling.storage import StorageError, explained, is_local, move_in

BLOCK = 1_000_000  # elements of a block: characters of its texts, token ids, other items of its lists
_KEPT_GROUPS = 2  # read last, since problems are mostly asked for in the order of the table


class StoredTable:
    """A table on disk, read by block; columns that an older stepmill did not write are filled in."""

    def __init__(self, path: UPath, schema: Schema) -> None:
        self.path = path
        self.schema = schema
        self._opened: pq.ParquetFile | None = None
        self._groups: dict[int, pl.DataFrame] = {}

    @property
    def height(self) -> int:
        """The number of rows."""
        return int(self._file.metadata.num_rows)

    def blocks(self, columns: Sequence[str] = ()) -> Iterator[pl.DataFrame]:
        """The rows with these columns, or with all, in blocks that end between two problems; at least one block."""
        pieces = self.pieces(columns)
        return between_problems(pieces) if PROBLEM in (columns or self.schema.columns) else pieces

    def pieces(self, columns: Sequence[str] = ()) -> Iterator[pl.DataFrame]:
        """The same in pieces that may end within a problem: a block of the file, or a part of one that is too large."""
        metadata = self._file.metadata
        if not metadata.num_rows:
            yield self._completed(self.schema.empty(), tuple(columns))
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            size = max(1, min(BLOCK_ROWS, BLOCK_BYTES * group.num_rows // max(1, group.total_byte_size)))
            with readable(self.path):
                for batch in self._file.iter_batches(size, [number], self._present(columns)):
                    yield self._completed(_polars(pa.Table.from_batches([batch])), tuple(columns))

    def frame(self, columns: Sequence[str] = ()) -> pl.DataFrame:
        """The whole table with these columns."""
        with readable(self.path):
            return self._completed(_polars(self._file.read(columns=self._present(columns))), tuple(columns))

    def rows(self, start: int, stop: int) -> pl.DataFrame:
        """The rows from `start` to before `stop`."""
        parts, first = [self.schema.empty()], 0
        for number in range(self._file.metadata.num_row_groups):
            after = first + self._file.metadata.row_group(number).num_rows
            if first < stop and start < after:
                begin = max(0, start - first)
                parts.append(self._kept_group(number).slice(begin, min(stop, after) - first - begin))
            first = after
        return pl.concat(parts[1:] or parts)

    def spread(self, most: int, columns: Sequence[str]) -> pl.DataFrame:
        """At most so many rows from all over the table, to be shown."""
        step = max(1, self.height // most)
        found = [self.rows(number, number + 1).select(columns) for number in range(0, self.height, step)[:most]]
        return pl.concat(found or [self.schema.empty().select(columns)])

    def moved(self, path: UPath) -> None:
        """The file has another name from now on."""
        self.path, self._opened = path, None

    @property
    def _file(self) -> pq.ParquetFile:
        if self._opened is None:
            with readable(self.path):
                source = self.path.path if is_local(self.path) else self.path.fs.open(self.path.path)
                self._opened = pq.ParquetFile(source)
        return self._opened

    def _kept_group(self, number: int) -> pl.DataFrame:
        if number not in self._groups:
            while len(self._groups) >= _KEPT_GROUPS:
                del self._groups[next(iter(self._groups))]
            with readable(self.path):
                self._groups[number] = self._completed(_polars(self._file.read_row_group(number)), ())
        return self._groups[number]

    def _present(self, columns: Sequence[str]) -> list[str] | None:
        """Those of the columns that the file has; None, which reads all, if it has none of them."""
        return [name for name in columns if name in self._file.schema_arrow.names] or None

    def _completed(self, frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
        whole = self.schema.completed(frame)
        return whole.select(columns) if columns else whole


class BlockWriter:
    """Appends the rows of one problem after another to a file; every block is validated when it is full."""

    def __init__(self, schema: Schema, path: UPath, *, block: int = BLOCK) -> None:
        self.schema = schema
        self.path = path
        self._block = block
        self.file = _temporary(path)
        self._rows: list[Mapping[str, Any]] = []
        self._size = 0
        self._problems: set[str] = set()
        self._sink: pq.ParquetWriter | None = None

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append all the rows of a problem; raises SchemaError or StorageError."""
        for row in rows:
            self._rows.append(row)
            self._size += sum(len(value) for value in row.values() if hasattr(value, "__len__"))
        if self._size >= self._block:
            self._flush()

    def add_block(self, rows: pl.DataFrame) -> None:
        """Append rows that are a block by themselves; raises SchemaError or StorageError."""
        self._flush()
        self._write(self.schema.validate(rows))

    def table(self) -> StoredTable:
        """The finished table; raises SchemaError or StorageError."""
        self._flush()
        if self._sink is None:
            self._write(self.schema.empty())
        self._close()
        return StoredTable(UPath(self.file), self.schema)

    def discard(self) -> None:
        """Delete the file if it still has its temporary name."""
        self._close()
        self.file.unlink(missing_ok=True)

    def _close(self) -> None:
        with explained(self.path):
            if self._sink is not None:
                self._sink.close()

    def _flush(self) -> None:
        if self._rows:
            self._write(self.schema.frame(self._rows))
        self._rows, self._size = [], 0

    def _write(self, frame: pl.DataFrame) -> None:
        if not has_new_problems(self.schema, frame, self._problems) and self._sink is not None:
            raise SchemaError(f"{self.schema.name}: the rows of a problem must be added together")
        content = frame.to_arrow()
        with explained(self.path):
            if self._sink is None:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                self._sink = pq.ParquetWriter(self.file, content.schema, compression="zstd")
            self._sink.write_table(content, row_group_size=max(1, frame.height))


def place(table: StoredTable, path: UPath) -> None:
    """Give a table that was written under a temporary name its own, or upload it; raises StorageError."""
    file = Path(table.path.path)
    move_in(file, path)
    file.unlink(missing_ok=True)
    table.moved(path)


def has_new_problems(schema: Schema, block: pl.DataFrame, seen: set[str]) -> bool:
    """Add the problems of a block to `seen`; whether none was there, so that a key is unique if it is in each block."""
    if PROBLEM not in schema.key:
        return not schema.key
    problems = set(block[PROBLEM].unique())
    are_new = problems.isdisjoint(seen)
    seen |= problems
    return are_new


def measured(table: pl.DataFrame | StoredTable, columns: Sequence[str]) -> pl.DataFrame:
    """These columns of a table, wherever it is."""
    return table.frame(columns) if isinstance(table, StoredTable) else table.select(columns)


def validate_blocks(table: StoredTable) -> None:
    """Check a table block by block, and its key as a whole where blocks share problems; raises SchemaError."""
    schema, seen = table.schema, set[str]()
    are_new = [has_new_problems(schema, schema.validate(block), seen) for block in table.blocks()]
    if not all(are_new[1:]) and table.frame(schema.key).is_duplicated().any():
        raise SchemaError(f"{schema.name}.{', '.join(schema.key)}: unique_key is broken by rows far apart")


def remove_leftovers(path: UPath) -> None:
    """Delete what runs that were killed have left of a table beside it; a temporary folder is the system's to clean."""
    if is_local(path):
        for left in Path(path.parent.path).glob(f".{path.name}.*.tmp"):
            left.unlink(missing_ok=True)


def _temporary(path: UPath) -> Path:
    """A file beside the table; for an object store, one of this user's own in the temporary folder."""
    if is_local(path):
        return Path(path.parent.path) / f".{path.name}.{uuid4().hex[:8]}.tmp"
    descriptor, name = tempfile.mkstemp(prefix="stepmill-", suffix=f"-{path.name}")
    os.close(descriptor)
    return Path(name)


def _polars(table: pa.Table) -> pl.DataFrame:
    return cast(pl.DataFrame, pl.from_arrow(table))


@contextmanager
def readable(path: UPath) -> Iterator[None]:
    """Turn what goes wrong with the file of a table into a StorageError with its remedy."""
    try:
        yield
    except FileNotFoundError as missing:
        raise StorageError(f"{path} does not exist: materialise the asset that writes it first") from missing
    except (OSError, pa.ArrowException) as error:
        raise StorageError(
            f"{path} cannot be read as Parquet ({error}): move it away and materialise it again"
        ) from error
