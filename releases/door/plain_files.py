"""Opens files of a release: plain files alone, with no link at any level below the folder, and no larger than a bound.

What is read is what was looked at: a file is opened level by level, and everything after is asked of the open file. In
an object store there are no links; there only the size is held to its bound.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from upath import UPath

from generators.sampling.storage import is_local
from releases.door.bounds import FILE_BYTES, FILES, FOLDERS
from releases.door.names import require_path
from releases.door.refusal import MORE, refused
from releases.errors import RefusedRelease

IsKind = Callable[[int], bool]

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_FOLDER = _FLAGS | os.O_DIRECTORY
_BLOCK = 1 << 20
_KINDS = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISREG, "a file"),
)
_COPY = "copy the version with its files themselves, or do not use it"


def read_plain(folder: UPath, path: str, *, most: int = FILE_BYTES) -> bytes | None:
    """The content of a file, or None if there is none; raises RefusedRelease."""
    try:
        with open_plain(folder, path, most=most) as (file, _):
            return b"".join(blocks(file, where=f"{folder}/{path}", most=most))
    except FileNotFoundError:
        return None


@contextmanager
def open_plain(folder: UPath, path: str, *, most: int = FILE_BYTES) -> Iterator[tuple[BinaryIO, int]]:
    """A file below `folder`, open to be read, and its size; raises FileNotFoundError and RefusedRelease."""
    where = f"{folder}/{path}"
    require_path(folder, "the path of a file", path)
    with _open_locally(folder, path) if is_local(folder) else _open_in_store(folder, path) as (file, size):
        if size > most:
            raise refused(where, "its size in bytes", f"it is at most {most}", size)
        yield file, size


def blocks(file: BinaryIO, *, where: str, most: int) -> Iterator[bytes]:
    """The content of an open file, block by block; raises RefusedRelease if it grows beyond `most`."""
    read = 0
    while block := file.read(_BLOCK):
        read += len(block)
        if read > most:
            raise refused(where, "its size in bytes", f"it is at most {most}", MORE)
        yield block


def require_folders(root: UPath, *names: str) -> None:
    """Raise RefusedRelease if a folder below `root`, or one below that, is a link; one that is missing is none."""
    if not is_local(root):
        return
    for n in range(1, len(names) + 1):
        place = os.path.join(root.path, *names[:n])
        if os.path.islink(place):
            raise refused(place, "it is a link", "a version lies in folders that are none", remedy=_COPY)


def names_below(folder: UPath) -> Iterator[str]:
    """The paths of all files below `folder` but hidden ones, in order; raises RefusedRelease for what is no file."""
    if not is_local(folder):
        yield from sorted(_in_store(folder))
        return
    waiting, n_folders, found = [""], 0, list[str]()
    while waiting:
        prefix = waiting.pop()
        n_folders += 1
        if n_folders > FOLDERS or len(found) > 2 * FILES:
            bound = f"a version has at most {FOLDERS} folders and {2 * FILES} files"
            raise refused(folder, "the number of folders and files in it", bound, f"{n_folders} and {len(found)}")
        with os.scandir(os.path.join(folder.path, prefix)) as entries:
            for entry in entries:
                name = f"{prefix}{entry.name}"
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{name}/")
                    continue
                _require_kind(entry.stat(follow_symlinks=False).st_mode, stat.S_ISREG, f"{folder}/{name}")
                found.append(name)
    yield from sorted(found)


def _in_store(folder: UPath) -> Iterator[str]:
    for path in folder.rglob("*"):
        name = path.path.removeprefix(folder.path).lstrip("/")
        if path.is_file() and not any(part.startswith(".") for part in name.split("/")):
            yield name


@contextmanager
def _open_in_store(folder: UPath, path: str) -> Iterator[tuple[BinaryIO, int]]:
    place = folder / path
    with place.open("rb") as file:
        yield file, place.stat().st_size


@contextmanager
def _open_locally(folder: UPath, path: str) -> Iterator[tuple[BinaryIO, int]]:
    *folders, name = path.split("/")
    where = str(folder)
    directory = os.open(folder.path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        for part in folders:
            where = f"{where}/{part}"
            below = _open_below(directory, part, stat.S_ISDIR, where)
            os.close(directory)
            directory = below
        descriptor = _open_below(directory, name, stat.S_ISREG, f"{where}/{name}")
    finally:
        os.close(directory)
    with os.fdopen(descriptor, "rb") as file:
        yield file, os.fstat(descriptor).st_size


def _open_below(directory: int, name: str, is_kind: IsKind, where: str) -> int:
    """Open a file or folder of an open folder; what it is is asked before, since opening a device may do something."""
    _require_kind(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode, is_kind, where)
    try:
        descriptor = os.open(name, _FOLDER if is_kind is stat.S_ISDIR else _FLAGS, dir_fd=directory)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
            raise _no_plain(where, "something else than a moment ago") from error
        raise
    try:
        _require_kind(os.fstat(descriptor).st_mode, is_kind, where)
    except RefusedRelease:
        os.close(descriptor)
        raise
    return descriptor


def _require_kind(mode: int, is_kind: IsKind, where: str) -> None:
    if not is_kind(mode):
        raise _no_plain(where, next((kind for is_one, kind in _KINDS if is_one(mode)), "something unknown"))


def _no_plain(where: str, kind: str) -> RefusedRelease:
    return refused(where, f"it is {kind}", "a version has plain files in folders and nothing else", remedy=_COPY)
