"""The files of one version, wherever they are: in a folder, in an object store or on the Hub."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Protocol

from upath import UPath

from generators.sampling.storage import write_bytes
from releases.door.bounds import MANIFEST_BYTES
from releases.door.plain_files import read_plain
from releases.errors import UnknownRelease
from releases.manifest import FILE_NAME, Manifest, read_manifest


class Read(Protocol):
    """Reads a file of a version: its content, of at most so many bytes, or None if there is no such file."""

    def __call__(self, path: str, *, most: int) -> bytes | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFiles:
    """The manifest of a version, and `read`, which reads one of its files.

    `where` names the version's place in messages. `folder` is the place if it is a folder, and None on the Hub.
    """

    where: str
    manifest: Manifest
    read: Read
    folder: UPath | None = None


def files_in(folder: UPath) -> VersionFiles:
    """The version in `folder`; raises UnknownRelease if it holds no manifest, and RefusedRelease."""
    content = read_plain(folder, FILE_NAME, most=MANIFEST_BYTES) if folder.is_dir() else None
    if content is None:
        raise UnknownRelease(f"{folder} holds no {FILE_NAME}: name the folder of one version")

    def read(path: str, *, most: int) -> bytes | None:
        return read_plain(folder, path, most=most)

    manifest = read_manifest(content, where=f"{folder}/{FILE_NAME}")
    return VersionFiles(where=str(folder), manifest=manifest, read=read, folder=folder)


@contextmanager
def as_folder(files: VersionFiles) -> Iterator[UPath]:
    """The folder of a version; a version on the Hub is downloaded, unchecked, and deleted at the end."""
    if files.folder is not None:
        yield files.folder
        return
    with TemporaryDirectory(prefix="stepmill-") as temporary:
        folder = UPath(temporary) / files.manifest.version
        sizes = {FILE_NAME: MANIFEST_BYTES, **{file.path: file.size for file in files.manifest.files}}
        for path, most in sizes.items():
            content = files.read(path, most=most)
            if content is not None:  # `verify` lists the missing files
                write_bytes(folder / path, content)
        yield folder
