"""Parquet files of others: read once in a process of its own within bounds, and only then in this one.

Both processes have the same open file, so nothing else can take its place in between. A file that was found sound is
not looked at again while it stays as it is.
"""

import os
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import BinaryIO

import pyarrow as pa
from upath import UPath

from generators.sampling.storage import is_local
from releases.door import bounds
from releases.door.plain_files import blocks, open_plain
from releases.door.reader import reader
from releases.door.refusal import refused

_SUFFIX = ".parquet"
_REMEMBERED = 10_000
_sound: dict[Hashable, None] = {}  # the files that were found sound, the last ones last
_BOUNDS = {
    name.lower(): getattr(bounds, name)
    for name in (
        *("FOOTER_BYTES", "ROW_GROUPS", "COLUMNS", "NESTING", "ROWS", "VALUES", "TEXT_BYTES", "UNPACKED_BYTES"),
        *("UNPACKED_SMALL", "UNPACKED_RATIO", "READER_BYTES", "READER_SECONDS", "READER_RATE", "COUNT"),
    )
}


@contextmanager
def open_shard(folder: UPath, path: str) -> Iterator[BinaryIO]:
    """A Parquet file of a release, open for pyarrow to read.

    Raises FileNotFoundError, RefusedRelease, and ArrowInvalid if it is not Parquet.
    """
    where = f"{folder}/{path}"
    with open_plain(folder, path) as (file, _):
        identity = _identity(folder, path, file)
        if identity not in _sound:
            if is_local(folder):
                _look(file, where)
            else:
                with _nameless() as copy:
                    copy.writelines(blocks(file, where=where, most=bounds.FILE_BYTES))
                    _look(copy, where)
            _remember(identity)
        file.seek(0)
        yield file


def require_sound(content: bytes, *, where: str) -> None:
    """Raise RefusedRelease or ArrowInvalid if `content`, a Parquet file, is not to be read."""
    with _nameless() as copy:
        copy.write(content)
        _look(copy, where)


def is_shard(path: str) -> bool:
    """Whether a file is Parquet by its name."""
    return path.lower().endswith(_SUFFIX)


def _identity(folder: UPath, path: str, file: BinaryIO) -> Hashable:
    """What changes when the file does."""
    if is_local(folder):
        state = os.fstat(file.fileno())
        return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns
    place = folder / path
    return str(place), place.fs.ukey(place.path)


def _remember(identity: Hashable) -> None:
    _sound[identity] = None
    if len(_sound) > _REMEMBERED:
        _sound.pop(next(iter(_sound)), None)


def _look(file: BinaryIO, where: str) -> None:
    file.flush()
    answer = reader().look(file.fileno(), _BOUNDS)
    if answer["outcome"] == "refused":
        field, bound, value = answer["why"]
        raise refused(where, field, bound, value)
    if answer["outcome"] == "unreadable":
        raise pa.ArrowInvalid(" ".join(answer["why"].split()))


def _nameless() -> BinaryIO:
    """A file without a name that is gone when it is closed, in memory where the system has such."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("stepmill"), "w+b")
    return TemporaryFile(prefix="stepmill-")
