"""Parts of a ledger: immutable Parquet files, each with the digest of its bytes in its name.

Knows no rollout. Parquet alone does not notice every flipped bit, and what it notices may end the process that reads.
"""

import hashlib
import io
import time

import polars as pl
from upath import UPath

from generators.sampling.storage import StorageError, parquet_bytes, write_bytes

_DIGITS = 32


class DamagedPart(StorageError):
    """A part that does not hold what was written."""


def write_part(folder: UPath, rows: pl.DataFrame) -> None:
    """Write `rows` as a new part of `folder`, whole; raises StorageError."""
    content = parquet_bytes(rows)
    write_bytes(folder / f"part-{time.time_ns():020d}-{_digest(content)}.parquet", content)


def read_part(part: UPath, columns: list[str]) -> pl.DataFrame:
    """Some columns of a part; raises DamagedPart, and StorageError where it cannot be read at all."""
    try:
        content = part.read_bytes()
    except OSError as refused:
        raise StorageError(f"{part} cannot be read ({refused}): see that it can be, and run again") from refused
    named = part.stem.rsplit("-", 1)[-1]
    if len(named) == _DIGITS and named != _digest(content):  # parts of earlier versions have no digest
        raise DamagedPart(f"{part} does not have the digest that its name says")
    try:
        return pl.read_parquet(io.BytesIO(content), columns=columns)
    except pl.exceptions.PolarsError as bad:
        raise DamagedPart(f"{part} cannot be read as Parquet ({bad})") from bad


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=_DIGITS // 2).hexdigest()
