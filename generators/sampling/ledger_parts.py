"""Parts of a ledger: immutable Parquet files, each with the digest of its bytes in its name.

The digest is needed since Parquet misses some flipped bits, and crashes the reading process on others.
"""

import hashlib
import io
import time

import polars as pl
from upath import UPath

from generators.sampling.storage import StorageError, parquet_bytes, write_bytes

_DIGITS = 32


class DamagedPart(StorageError):
    """A part whose content is not what was written."""


def write_part(folder: UPath, rows: pl.DataFrame) -> None:
    """Write `rows` atomically as a new part of `folder`; raises StorageError."""
    content = parquet_bytes(rows)
    write_bytes(folder / f"part-{time.time_ns():020d}-{_digest(content)}.parquet", content)


def read_part(part: UPath, columns: list[str]) -> pl.DataFrame:
    """The `columns` of a part; raises DamagedPart, or StorageError if it cannot be read at all."""
    try:
        content = part.read_bytes()
    except OSError as error:
        raise StorageError(f"{part} cannot be read ({error}): make it readable and run again") from error
    expected = part.stem.rsplit("-", 1)[-1]
    if len(expected) == _DIGITS and expected != _digest(content):  # parts of earlier versions have no digest
        raise DamagedPart(f"{part} does not have the digest in its name")
    try:
        return pl.read_parquet(io.BytesIO(content), columns=columns)
    except pl.exceptions.PolarsError as error:
        raise DamagedPart(f"{part} cannot be read as Parquet ({error})") from error


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=_DIGITS // 2).hexdigest()
