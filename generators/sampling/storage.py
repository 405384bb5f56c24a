"""Files that are whole or absent, in a local folder or an object store.

Knows nothing of what the files hold. A local file is written under a temporary name, flushed to the disk and
renamed; an object store's upload is atomic by itself.
"""

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import polars as pl
from upath import UPath

_REMEDIES = {
    errno.EACCES: "give this user write permission there, or set data_root to another place",
    errno.EPERM: "give this user write permission there, or set data_root to another place",
    errno.EROFS: "the file system is read-only; set data_root to another place",
    errno.ENOSPC: "the disk is full; free some room and run the same command again",
    errno.EDQUOT: "the disk quota is used up; free some room and run the same command again",
    errno.ENOTDIR: "a file stands where a folder is needed; move it, or set data_root to another place",
    errno.EEXIST: "a file stands where a folder is needed; move it, or set data_root to another place",
}


class StorageError(Exception):
    """A file could not be written or read; the message names the place and the remedy."""


def is_local(path: UPath) -> bool:
    """Whether `path` is on this machine's own file system."""
    return path.protocol in ("", "file", "local")


def write_bytes(path: UPath, content: bytes) -> None:
    """Write `content` to `path` whole, making its folder; raises StorageError."""
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not is_local(path):
            path.write_bytes(content)
            return
        temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
        try:
            with open(temporary.path, "wb") as sink:
                sink.write(content)
                sink.flush()
                os.fsync(sink.fileno())
            os.replace(temporary.path, path.path)
        finally:
            temporary.unlink(missing_ok=True)


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """`frame` as a Parquet file. Written straight to a file, a full disk would be told as an error of the format."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def write_parquet(path: UPath, frame: pl.DataFrame) -> None:
    """Write `frame` to `path` whole, making its folder; raises StorageError."""
    write_bytes(path, parquet_bytes(frame))


def remove(path: UPath) -> None:
    """Have no file at `path`; raises StorageError where one stays."""
    with _explained(path):
        path.unlink(missing_ok=True)


def read_parquet(path: UPath, columns: list[str] | None = None) -> pl.DataFrame:
    """The table at `path`; raises StorageError when it is missing or not Parquet."""
    try:
        with path.open("rb") as source:
            return pl.read_parquet(source, columns=columns)
    except FileNotFoundError as missing:
        raise StorageError(f"{path} does not exist: materialise the asset that writes it first") from missing
    except (OSError, pl.exceptions.PolarsError) as bad:
        raise StorageError(f"{path} cannot be read as Parquet ({bad}): move it away to have it made again") from bad


@contextmanager
def _explained(path: UPath) -> Iterator[None]:
    try:
        yield
    except OSError as refused:
        remedy = _REMEDIES.get(refused.errno or 0, "see the error's text")
        raise StorageError(f"cannot write {path} ({refused.strerror or refused}): {remedy}") from refused
