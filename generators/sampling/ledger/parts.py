"""Parts of a ledger: immutable Parquet files, each with the digest of its bytes in its name.

The digest is needed since Parquet misses some flipped bits, and crashes the reading process on others. A part keeps the
prefix of a key once, in the first of its rows, and no text: the tokenizer gives the text back, and nothing reads it.
Parts of an object store are copied to a local folder when they are opened.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from generators.sampling.ledger.law import Stored
from generators.sampling.ledger.names import PartName, parsed
from generators.sampling.ledger.rows import REASONS, Rows, codes_of
from generators.sampling.storage import StorageError, explained, is_local
from generators.tokens import TokenIds

TOKENS = pa.list_(pa.uint32())
SCHEMA = pa.schema(
    {
        "key": pa.string(),
        "index": pa.uint32(),
        "policy": pa.string(),
        "sampling": pa.string(),
        "prefix_token_ids": TOKENS,  # null where an earlier row of the part has the key
        "n_tokens": pa.uint32(),
        "extends": pa.uint32(),  # how many tokens of this row an earlier row had already, 0 for none
        "finish_reason": pa.string(),
        "token_ids": TOKENS,
    }
)
WRITING: dict[str, Any] = {"compression": "zstd", "compression_level": 1, "write_page_checksum": True}
GROUP_TOKENS = 1 << 18  # tokens of a row group: what is read to get one rollout
_OPENED_AT_ONCE = 8


class DamagedPart(StorageError):
    """A part whose content is not what was written."""


class PartGone(StorageError):
    """A part that another process merged into a larger one."""


@dataclass(frozen=True, slots=True)
class NewRow:
    """A rollout that is about to be written; it continues a stored one of `extends` tokens, 0 for none."""

    digest: str
    index: int
    policy: str
    sampling: str
    prefix: TokenIds
    stored: Stored
    extends: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part that was found whole: its path, its bytes on this machine, and where each of its row groups begins."""

    path: UPath
    name: PartName
    file: Path
    size: int
    starts: tuple[int, ...]
    rows: int


def parts_in(files: Iterable[UPath]) -> list[tuple[PartName, UPath]]:
    """The parts among some files, in their order."""
    named = [(name, file) for file in files if (name := parsed(file.name)) is not None]
    return sorted(named, key=lambda pair: pair[0].order)


def table_of(rows: Sequence[NewRow]) -> pa.Table:
    """New rows as the table of a part."""
    seen: set[str] = set()
    prefixes: list[memoryview] = []
    is_known = np.empty(len(rows), dtype=bool)
    for place, row in enumerate(rows):
        is_known[place] = row.digest in seen
        seen.add(row.digest)
        prefixes.append(memoryview(b"") if is_known[place] else row.prefix.view)
    return pa.table(
        {
            "key": [row.digest for row in rows],
            "index": [row.index for row in rows],
            "policy": [row.policy for row in rows],
            "sampling": [row.sampling for row in rows],
            "prefix_token_ids": _lists(prefixes, is_known),
            "n_tokens": [len(row.stored.token_ids) for row in rows],
            "extends": [row.extends for row in rows],
            "finish_reason": [row.stored.finish_reason for row in rows],
            "token_ids": _lists([row.stored.token_ids.view for row in rows]),
        },
        schema=SCHEMA,
    )


def _lists(views: Sequence[memoryview], is_null: np.ndarray | None = None) -> pa.Array:
    offsets = np.fromiter(accumulate(map(len, views), initial=0), dtype=np.int32, count=len(views) + 1)
    values = pa.Array.from_buffers(pa.uint32(), int(offsets[-1]), [None, pa.py_buffer(b"".join(views))])
    mask = None if is_null is None else pa.array(is_null)
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=mask)


def write_groups(table: pa.Table, writer: Any) -> None:
    """Write a table in row groups of about GROUP_TOKENS tokens."""
    ends = np.cumsum(table.column("n_tokens").to_numpy(), dtype=np.int64)
    start = 0
    while start < table.num_rows:
        before = int(ends[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(ends, before + GROUP_TOKENS, side="right")))
        writer.write_table(table.slice(start, end - start), row_group_size=end - start)
        start = end


def part_bytes(table: pa.Table) -> bytes:
    """A table as the bytes of a part."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, SCHEMA, **WRITING) as writer:
        write_groups(table, writer)
    return bytes(sink.getvalue())


def digest_of(content: bytes) -> str:
    """The digest that stands in the name of a part."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def file_digest(file: Path) -> str:
    """The digest of a local file, read piece by piece."""
    with file.open("rb") as source:
        return hashlib.file_digest(source, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def open_parts(
    named: Sequence[tuple[PartName, UPath]], copies: Path
) -> Iterator[tuple[PartName, UPath, tuple[Part, Rows] | StorageError]]:
    """Each part with its rows, or the DamagedPart or PartGone that it is; raises StorageError for any other failure."""

    def opened(pair: tuple[PartName, UPath]) -> tuple[Part, Rows] | StorageError:
        try:
            return open_part(*pair, copies)
        except (DamagedPart, PartGone) as error:
            return error

    with ThreadPoolExecutor(min(_OPENED_AT_ONCE, max(1, len(named)))) as pool:
        for (name, path), result in zip(named, pool.map(opened, named), strict=True):
            yield name, path, result


def open_part(name: PartName, path: UPath, copies: Path) -> tuple[Part, Rows]:
    """A part and its rows without their tokens; raises DamagedPart, PartGone, or StorageError if it cannot be read."""
    with explained(path, "read"):
        try:
            file = Path(path.path)
            if not is_local(path):
                file = copies / name.text
                if not file.exists():
                    path.fs.get_file(path.path, str(file))
            digest, size = file_digest(file), file.stat().st_size
        except FileNotFoundError as gone:
            raise PartGone(f"{path} was merged into another part meanwhile: run the same command again") from gone
    if name.digest is not None and name.digest != digest:
        raise DamagedPart(f"{path} does not have the digest in its name")
    return read_rows(name, path, file, size)


def read_rows(name: PartName, path: UPath, source: Any, size: int) -> tuple[Part, Rows]:
    """The rows of a part from a local file, or from a file object that reads only what it needs."""
    try:
        with pq.ParquetFile(source, page_checksum_verification=True) as parquet:
            counts = [parquet.metadata.row_group(group).num_rows for group in range(parquet.num_row_groups)]
            rows = Rows.concatenated([_group_rows(parquet, group) for group in range(len(counts))])
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise DamagedPart(f"{path} cannot be read as Parquet ({error})") from error
    starts = tuple(accumulate(counts[:-1], initial=0)) if counts else ()
    return Part(path, name, source if isinstance(source, Path) else Path(), size, starts, sum(counts)), rows


def _group_rows(parquet: Any, group: int) -> Rows:
    is_new = "n_tokens" in parquet.schema_arrow.names
    columns = ["key", "index", "finish_reason", *(("n_tokens", "extends") if is_new else ("token_ids",))]
    table = parquet.read_row_group(group, columns=columns, use_threads=False).combine_chunks()
    index = _numbers(table, "index")
    if is_new:
        length, extends = _numbers(table, "n_tokens"), _numbers(table, "extends")
    else:
        length = np.diff(_offsets(table)).astype(np.uint32)
        extends = np.zeros(len(index), dtype=np.uint32)
    high, low = codes_of(table.column("key"))
    reasons = table.column("finish_reason").combine_chunks().dictionary_encode()
    numbers = np.array([REASONS.index(reason) for reason in reasons.dictionary.to_pylist()], dtype=np.uint8)
    finish = numbers[reasons.indices.to_numpy()] if len(numbers) else np.empty(0, dtype=np.uint8)
    return Rows(high, low, index, length, extends, finish)


def _numbers(table: pa.Table, column: str) -> np.ndarray:
    return np.array(table.column(column), dtype=np.uint32)


def tokens_of(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """The token ids of a row group in one array, and where those of each row begin and end."""
    lists = table.column("token_ids").combine_chunks()
    offsets = _offsets(table)
    values = np.asarray(lists.values, dtype=np.uint32)
    return values[offsets[0] : offsets[-1]] if len(offsets) else values, offsets - offsets[0]


def _offsets(table: pa.Table) -> np.ndarray:
    lists = table.column("token_ids").combine_chunks()
    return np.asarray(lists.offsets, dtype=np.int64)
