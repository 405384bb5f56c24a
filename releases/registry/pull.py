"""Copies a version from a registry into a folder, atomically, checking every file against the manifest."""

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple, Protocol

from upath import UPath

from releases.bundle import ReleaseFile
from releases.errors import DamagedRelease, VersionTaken
from releases.manifest import FILE_NAME, Manifest
from releases.registry.placement import place_version
from releases.registry.registry import Release


class Source(Protocol):
    """The part of a registry that `pull` needs."""

    def open(self, dataset: str, version: str) -> Release:
        """One released version; raises UnknownRelease."""
        ...

    def manifest(self, dataset: str, version: str) -> Manifest:
        """The manifest of a released version; raises UnknownRelease."""
        ...


class Pulled(NamedTuple):
    """The version's folder, and whether this pull created it."""

    path: UPath
    is_new: bool


def pull(source: Source, dataset: str, version: str, *, into: UPath) -> Pulled:
    """Copy a version to `into/<dataset>/<version>`; if it is there already, do nothing.

    Raises UnknownRelease if there is no such version, DamagedRelease if a file differs from the manifest, and
    VersionTaken if something else is at the target.
    """
    manifest = source.manifest(dataset, version)
    released = source.open(dataset, version).path
    manifest_bytes = (released / FILE_NAME).read_bytes()
    target = into / dataset / version
    if _holds(target, manifest_bytes):
        return Pulled(target, is_new=False)
    files = _files(released, manifest, manifest_bytes)
    if not place_version(into / dataset, version, files, identity=manifest_bytes) and not _holds(
        target, manifest_bytes
    ):
        raise VersionTaken(f"{target} is there already and is not {dataset} {version} of {released}: move it away")
    return Pulled(target, is_new=True)


def _holds(target: UPath, manifest_bytes: bytes) -> bool:
    path = target / FILE_NAME
    return path.exists() and path.read_bytes() == manifest_bytes


def _files(released: UPath, manifest: Manifest, manifest_bytes: bytes) -> Iterator[ReleaseFile]:
    for file in manifest.files:
        try:
            content = (released / file.path).read_bytes()
        except FileNotFoundError as missing:
            raise DamagedRelease(f"{released / file.path} is missing: pull the version from another place") from missing
        digest = sha256(content).hexdigest()
        if digest != file.sha256:
            raise DamagedRelease(
                f"{released / file.path} has the SHA-256 {digest}, the manifest says {file.sha256}: pull the version "
                "again, or from another place"
            )
        yield ReleaseFile(file.path, content)
    yield ReleaseFile(FILE_NAME, manifest_bytes)
