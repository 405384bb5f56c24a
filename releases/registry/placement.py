"""Writes a version's files atomically, and only if the version is free.

On a local disk, the folder is filled under a hidden name and then renamed. A rename onto a non-empty folder fails, so
one of two publishers wins. In an object store, a publisher first claims the version with a file that can be created
only once, and uploads the manifest last: a version without a manifest does not count.
"""

import errno
import os
import shutil
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from upath import UPath

from generators.sampling.storage import is_local, write_bytes
from releases.bundle import ReleaseFile

_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


def place_version(folder: UPath, version: str, files: Iterable[ReleaseFile], *, identity: bytes) -> bool:
    """Write `files`, the manifest last, as `folder/version`; False if another publisher has that version.

    `identity` identifies the content: a publisher with the same identity may finish what a killed one began.
    """
    if is_local(folder):
        return _place_locally(folder, version, files)
    return _place_in_store(folder, version, files, identity)


def _place_locally(folder: UPath, version: str, files: Iterable[ReleaseFile]) -> bool:
    hidden = folder / f".{version}.{uuid4().hex[:8]}.tmp"
    try:
        for file in files:
            write_bytes(hidden / file.path, file.content)
        _flush_folders(Path(hidden.path))
        return _rename(Path(hidden.path), Path((folder / version).path))
    finally:
        shutil.rmtree(hidden.path, ignore_errors=True)


def _rename(hidden: Path, final: Path) -> bool:
    try:
        hidden.rename(final)
    except OSError as refused:
        if refused.errno not in _TAKEN:
            raise
        return False
    _flush(final.parent)
    return True


def _place_in_store(folder: UPath, version: str, files: Iterable[ReleaseFile], identity: bytes) -> bool:
    claim = folder / ".claims" / version
    digest = sha256(identity).hexdigest().encode()
    try:
        claim.fs.pipe_file(claim.path, digest, mode="create")
    except FileExistsError:
        if claim.read_bytes() != digest:
            return False
    for file in files:
        write_bytes(folder / version / file.path, file.content)
    return True


def _flush_folders(top: Path) -> None:
    for folder, _, _ in os.walk(top):
        _flush(Path(folder))


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
