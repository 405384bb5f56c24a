"""The files of one version, wherever they are: in a folder, in an object store or on the Hub."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from tempfile import TemporaryDirectory

from upath import UPath

from generators.sampling.storage import write_bytes
from releases.errors import DamagedRelease, UnknownRelease
from releases.manifest import FILE_NAME, Manifest, read_manifest
from releases.version import Version

_DATASET = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFiles:
    """The manifest of a version, and `read`, which returns a file's content, or None if there is no such file.

    `where` names the version's place in messages. `folder` is the place if it is a folder, and None on the Hub.
    """

    where: str
    manifest: Manifest
    read: Callable[[str], bytes | None]
    folder: UPath | None = None

    def require_paths_below(self) -> None:
        """Raise DamagedRelease if a copy would have files outside of its folder, as a manifest of others may want."""
        manifest = self.manifest
        paths = [PurePosixPath(file.path) for file in manifest.files]
        outside = [str(path) for path in paths if path.is_absolute() or ".." in path.parts or not path.parts]
        if not _DATASET.fullmatch(manifest.dataset):
            outside.append(manifest.dataset)
        if not Version.is_version(manifest.version):
            outside.append(manifest.version)
        if outside:
            raise DamagedRelease(
                f"the manifest of {self.where} has {outside[0]!r}, which is no name inside a folder: do not use this "
                "version"
            )


def files_in(folder: UPath) -> VersionFiles:
    """The version in `folder`; raises UnknownRelease if it holds no manifest."""

    def read(path: str) -> bytes | None:
        try:
            return (folder / path).read_bytes()
        except FileNotFoundError:
            return None

    content = read(FILE_NAME)
    if content is None:
        raise UnknownRelease(f"{folder} holds no {FILE_NAME}: name the folder of one version")
    manifest = read_manifest(content, where=str(folder / FILE_NAME))
    return VersionFiles(where=str(folder), manifest=manifest, read=read, folder=folder)


@contextmanager
def as_folder(files: VersionFiles) -> Iterator[UPath]:
    """The folder of a version; a version on the Hub is downloaded, unchecked, and deleted at the end."""
    if files.folder is not None:
        yield files.folder
        return
    files.require_paths_below()
    with TemporaryDirectory(prefix="stepmill-") as temporary:
        folder = UPath(temporary) / files.manifest.version
        for path in (FILE_NAME, *(file.path for file in files.manifest.files)):
            content = files.read(path)
            if content is not None:  # `verify` lists the missing files
                write_bytes(folder / path, content)
        yield folder
