"""A version copied into a folder, whole or not at all, every file checked against the manifest on the way.

Knows no registry in particular.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple, Protocol

from upath import UPath

from releases.bundle import ReleaseFile
from releases.errors import DamagedRelease, VersionTaken
from releases.manifest import FILE_NAME, Manifest
from releases.registry.placement import place
from releases.registry.registry import Release


class Source(Protocol):
    """What `pull` wants of a registry."""

    def open(self, dataset: str, version: str) -> Release:
        """Where a version lies; raises UnknownRelease."""
        ...

    def manifest(self, dataset: str, version: str) -> Manifest:
        """Its manifest; raises UnknownRelease."""
        ...


class Pulled(NamedTuple):
    """Where a version lies now, and whether this pull put it there."""

    path: UPath
    is_new: bool


def pull(source: Source, dataset: str, version: str, *, into: UPath) -> Pulled:
    """Copy a version to `into/<dataset>/<version>`; a second time nothing is done.

    Raises UnknownRelease where there is no such version, DamagedRelease where a file is not what the manifest says,
    and VersionTaken where something else stands in that place.
    """
    manifest = source.manifest(dataset, version)
    released = source.open(dataset, version).path
    told = (released / FILE_NAME).read_bytes()
    target = into / dataset / version
    if _holds(target, told):
        return Pulled(target, is_new=False)
    if not place(into / dataset, version, _files(released, manifest, told), identity=told) and not _holds(target, told):
        raise VersionTaken(f"{target} is there already and is not {dataset} {version} of {released}: move it away")
    return Pulled(target, is_new=True)


def _holds(target: UPath, told: bytes) -> bool:
    path = target / FILE_NAME
    return path.exists() and path.read_bytes() == told


def _files(released: UPath, manifest: Manifest, told: bytes) -> Iterator[ReleaseFile]:
    for file in manifest.files:
        try:
            content = (released / file.path).read_bytes()
        except FileNotFoundError as missing:
            raise DamagedRelease(f"{released / file.path} is missing: pull the version from another place") from missing
        found = sha256(content).hexdigest()
        if found != file.sha256:
            raise DamagedRelease(
                f"{released / file.path} has the SHA-256 {found}, the manifest says {file.sha256}: pull the version "
                "again, or from another place"
            )
        yield ReleaseFile(file.path, content)
    yield ReleaseFile(FILE_NAME, told)
