"""Files in a local folder or an object store: a file is complete or absent, and every failure is a StorageError.

A local file is written under a temporary name, flushed to disk and renamed. An upload to an object store is atomic by
itself. Listings come from the store, never from a driver's memory of it.
"""

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast
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
    errno.ENOENT: "it is gone; run the same command again",
    errno.EIO: "the disk or its connection fails; check it and run the same command again",
    errno.ESTALE: "the network file system was mounted anew; run the same command again",
}
_NO_ERRNO = "check that the store can be reached and that the credentials allow it, then run the same command again"


class StorageError(Exception):
    """A file could not be written or read; the message names the path and the remedy."""


def is_local(path: UPath) -> bool:
    """Whether `path` is on this machine's own file system."""
    return path.protocol in ("", "file", "local")


def write_bytes(path: UPath, content: bytes) -> None:
    """Write `content` to `path` atomically, creating its folder; raises StorageError."""
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not is_local(path):
            path.write_bytes(content)
            return
        temporary = _temporary(path)
        try:
            _flush(temporary, content)
            os.replace(temporary, path.path)
        finally:
            temporary.unlink(missing_ok=True)


def create(path: UPath, content: bytes) -> bool:
    """Write a new file, complete at once, and its folder; False if the file exists. Raises StorageError.

    Of several that create one file at a time, one succeeds: by a hard link on a local file system, by a conditional
    upload on an object store. Where a store or its driver has no such condition, a second call succeeds too.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if is_local(path):
                _create_local(path, content)
            else:
                _create_remote(path, content)
        except FileExistsError:
            return False
        return True


def _create_local(path: UPath, content: bytes) -> None:
    temporary = _temporary(path)
    try:
        _flush(temporary, content)
        try:
            os.link(temporary, path.path)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
                raise
            with open(path.path, "xb") as sink:  # a file system without hard links
                sink.write(content)
    finally:
        temporary.unlink(missing_ok=True)


def _create_remote(path: UPath, content: bytes) -> None:
    try:
        path.fs.pipe_file(path.path, content, mode="create")
    except FileExistsError:
        raise
    except (NotImplementedError, ValueError, TypeError):  # of a driver that does not know the mode
        path.write_bytes(content)
    except OSError as error:
        if "ConditionalRequestConflict" in str(error):  # S3, where two uploads meet
            raise FileExistsError(str(path)) from error
        if "NotImplemented" not in str(error) and "not implemented" not in str(error):
            raise
        path.write_bytes(content)


def _temporary(path: UPath) -> Path:
    return Path(path.path).with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")


def _flush(file: Path, content: bytes) -> None:
    with file.open("wb") as sink:
        sink.write(content)
        sink.flush()
        os.fsync(sink.fileno())


def move_in(file: Path, path: UPath) -> None:
    """Rename a local file to `path`, or upload it if that is in an object store; raises StorageError."""
    with explained(path):
        if not is_local(path):
            path.fs.put_file(str(file), path.path)
            return
        with file.open("rb") as source:
            os.fsync(source.fileno())
        os.replace(file, path.path)


def listed(folder: UPath) -> list[UPath]:
    """The files in `folder`, by name; none if there is no such folder. Raises StorageError."""
    with explained(folder, "list"):
        try:
            if is_local(folder):
                names = [entry.name for entry in os.scandir(folder.path) if entry.is_file()]
            else:
                folder.fs.invalidate_cache(folder.path)
                entries = folder.fs.ls(folder.path, detail=True)
                names = [str(entry["name"]).rsplit("/", 1)[-1] for entry in entries if entry["type"] == "file"]
        except (FileNotFoundError, NotADirectoryError):
            return []
    return [folder / name for name in sorted(names)]


def read_bytes(path: UPath) -> bytes | None:
    """The content of the file at `path`, None if there is none; raises StorageError."""
    with explained(path, "read"):
        try:
            return cast(bytes, path.fs.cat_file(path.path))
        except (FileNotFoundError, NotADirectoryError):
            return None


def rename(path: UPath, target: UPath) -> None:
    """Give the file at `path` another name in its folder; raises StorageError."""
    with explained(path, "rename"):
        path.rename(target)


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
    with explained(path, "delete"), suppress(NotADirectoryError):  # nothing lies below a file
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
def explained(path: UPath, action: str = "write") -> Iterator[None]:
    """Raise StorageError with the remedy for what the file system or the driver of an object store raises."""
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        if isinstance(error, OSError):
            remedy = _REMEDIES.get(error.errno or 0, "see the error's text" if is_local(path) else _NO_ERRNO)
            raise StorageError(f"cannot {action} {path} ({error.strerror or error}): {remedy}") from error
        if is_local(path):
            raise
        # The drivers of object stores raise classes of their own where the store cannot be reached.
        raise StorageError(f"cannot {action} {path} ({error or type(error).__name__}): {_NO_ERRNO}") from error
