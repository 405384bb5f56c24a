"""Copies a version into a folder, atomically, checking every file against the manifest."""

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

from upath import UPath

from releases.bundle import ReleaseFile
from releases.errors import DamagedRelease, VersionTaken
from releases.manifest import FILE_NAME
from releases.registry.placement import place_version
from releases.registry.version_files import VersionFiles


class Pulled(NamedTuple):
    """The version's folder, and whether this pull created it."""

    path: UPath
    is_new: bool


def pull(version: VersionFiles, *, into: UPath) -> Pulled:
    """Copy a version to `into/<dataset>/<version>`; if it is there already, do nothing.

    Raises DamagedRelease if a file differs from the manifest, and VersionTaken if something else is at the target.
    """
    version.require_paths_below()
    dataset, number = version.manifest.dataset, version.manifest.version
    manifest_bytes = _content(version, FILE_NAME)
    target = into / dataset / number
    if _holds(target, manifest_bytes):
        return Pulled(target, is_new=False)
    files = _files(version, manifest_bytes)
    if not place_version(into / dataset, number, files, identity=manifest_bytes) and not _holds(target, manifest_bytes):
        raise VersionTaken(f"{target} is there already and is not {dataset} {number} of {version.where}: move it away")
    return Pulled(target, is_new=True)


def _holds(target: UPath, manifest_bytes: bytes) -> bool:
    path = target / FILE_NAME
    return path.exists() and path.read_bytes() == manifest_bytes


def _files(version: VersionFiles, manifest_bytes: bytes) -> Iterator[ReleaseFile]:
    for file in version.manifest.files:
        content = _content(version, file.path)
        digest = sha256(content).hexdigest()
        if digest != file.sha256:
            raise DamagedRelease(
                f"{version.where}/{file.path} has the SHA-256 {digest}, the manifest says {file.sha256}: pull the "
                "version again, or from another place"
            )
        yield ReleaseFile(file.path, content)
    yield ReleaseFile(FILE_NAME, manifest_bytes)


def _content(version: VersionFiles, path: str) -> bytes:
    content = version.read(path)
    if content is None:
        raise DamagedRelease(f"{version.where}/{path} is missing: pull the version from another place")
    return content
