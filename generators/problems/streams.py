"""The rows of a problem file one after another, so that a file need not fit in memory.

Lines of JSON and Parquet are read in pieces; a file of another format is one table and is read whole.
"""

import gzip
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import IO, TypeVar, cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath
from xxhash import xxh3_128

from generators.problems.columns import ColumnMapping
from generators.problems.rows import BYTE_ORDER_MARKS, UTF8_MARK, Unreadable, line_entry, rows_in, unwrapped
from generators.problems.source import Entry
from generators.sampling.storage import is_local

T = TypeVar("T")
_TAGS = ("ETag", "etag", "md5Hash", "content_md5")
_BLOCK = 1 << 20
CHUNK = 500  # rows that are in memory with all of their columns


def rows_of(path: UPath, suffix: str, columns: ColumnMapping | None = None) -> Iterator[Entry]:
    """Every row of a file, of Parquet with the columns that a mapping reads; raises OSError and Unreadable."""
    with path.open("rb") as file:
        match suffix:
            case ".jsonl" | ".jsonl.gz":
                yield from _lines(cast(IO[bytes], file), is_packed=suffix.endswith(".gz"))
            case ".parquet":
                yield from _parquet(cast(IO[bytes], file), columns)
            case _:
                yield from rows_in(file.read(), suffix)


def content_tag(path: UPath) -> str:
    """What changes with the content of a file: the tag that its object store keeps, or a hash of its bytes."""
    if not is_local(path):
        known = path.fs.info(path.path)
        for name in _TAGS:
            if known.get(name):
                return str(known[name])
    digest = xxh3_128()
    with path.open("rb") as file:
        while block := cast(IO[bytes], file).read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The items in lists of `size`, the last one shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _lines(file: IO[bytes], *, is_packed: bool) -> Iterator[Entry]:
    """The rows of lines of JSON; rows that are all wrapped in a name of their own can be told only from all of them."""
    with _readable():
        plain = cast(IO[bytes], gzip.GzipFile(fileobj=file)) if is_packed else file
        start = plain.read(len(UTF8_MARK))
        if start.startswith(BYTE_ORDER_MARKS):
            yield from rows_in(start + plain.read(), ".jsonl")
            return
        entries = _json_lines(start.removeprefix(UTF8_MARK), plain)
        first = list(islice(entries, CHUNK))
        if _may_be_wrapped(first):
            yield from unwrapped([*first, *entries])
            return
        yield from first
        first.clear()
        yield from entries


def _json_lines(start: bytes, file: IO[bytes]) -> Iterator[Entry]:
    for number, line in enumerate(_whole_lines(start, file), start=1):
        if line.strip():
            yield line_entry(f"line {number}", line)


def _whole_lines(start: bytes, file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file of which a few bytes were read."""
    *whole, last = start.split(b"\n")
    yield from whole
    yield last + file.readline()
    yield from file


def _may_be_wrapped(entries: Sequence[Entry]) -> bool:
    rows = [entry.fields for entry in entries if entry.fields is not None]
    return all(len(row) == 1 and isinstance(next(iter(row.values())), dict) for row in rows)


def _parquet(file: IO[bytes], columns: ColumnMapping | None) -> Iterator[Entry]:
    with _readable():
        table = pq.ParquetFile(file)
        names = table.schema_arrow.names
        wanted = names if columns is None else columns.heads(names)
        read = wanted if set(wanted) <= set(names) else names
        number = 0
        for batch in table.iter_batches(CHUNK, columns=read):
            for row in cast(pl.DataFrame, pl.from_arrow(batch)).iter_rows(named=True):
                number += 1
                yield Entry(f"row {number}", row)


@contextmanager
def _readable() -> Iterator[None]:
    """Name what is wrong with the format in one line; what is wrong with the file system passes."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, pa.ArrowException, pl.exceptions.PolarsError) as error:
        raise Unreadable(str(error).partition("\n")[0]) from error
