"""Atomic file writes, to a local folder or an object store: a file is complete or absent.

A local file is written under a temporary name, flushed to disk and renamed. An upload to an object store is atomic by
itself.
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
    """A file could not be written or read; the message names the path and the remedy."""


def is_local(path: UPath) -> bool:
    """Whether `path` is on this machine's own file system."""
    return path.protocol in ("", "file", "local")


def write_bytes(path: UPath, content: bytes) -> None:
    """Write `content` to `path` atomically, creating its folder; raises StorageError."""
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
    """`frame` as a Parquet file; written directly to a full disk, Polars would report an error of the format."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def write_parquet(path: UPath, frame: pl.DataFrame) -> None:
    """Write `frame` to `path` atomically, creating its folder; raises StorageError."""
    write_bytes(path, parquet_bytes(frame))


def remove(path: UPath) -> None:
    """Delete the file at `path` if there is one; raises StorageError if that fails."""
    with _explained(path):
        path.unlink(missing_ok=True)


def read_parquet(path: UPath, columns: list[str] | None = None) -> pl.DataFrame:
    """The table at `path`; raises StorageError if it is missing or not Parquet."""
    try:
        with path.open("rb") as source:
            return pl.read_parquet(source, columns=columns)
    except FileNotFoundError as missing:
        raise StorageError(f"{path} does not exist: materialise the asset that writes it first") from missing
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StorageError(
            f"{path} cannot be read as Parquet ({error}): move it away and materialise it again"
        ) from error


@contextmanager
def _explained(path: UPath) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "see the error's text")
        raise StorageError(f"cannot write {path} ({error.strerror or error}): {remedy}") from error
