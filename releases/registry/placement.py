"""Puts a version's files where they are seen all at once or not at all, and only if the version is free.

On a local disk the folder is filled under a hidden name and renamed; a rename onto a folder with content fails, so of
two publishers one wins. In an object store the version is claimed by a file that can be created once, and the manifest
is uploaded last: a version without manifest is no version. Knows nothing of what the files hold.
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


def place(folder: UPath, version: str, files: Iterable[ReleaseFile], *, identity: bytes) -> bool:
    """Write `files`, the manifest last, as `folder/version`; False when another publisher has that version.

    `identity` stands for the files' bytes: whoever comes with the same one may finish what a killed publisher began.
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
    ours = sha256(identity).hexdigest().encode()
    try:
        claim.fs.pipe_file(claim.path, ours, mode="create")
    except FileExistsError:
        if claim.read_bytes() != ours:
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
