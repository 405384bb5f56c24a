"""Copies a version into a folder, atomically, checking every file against the manifest."""

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

import pyarrow as pa
from upath import UPath
from yaml import YAMLError

from releases.bundle import ReleaseFile
from releases.door.bounds import MANIFEST_BYTES
from releases.door.front_matter import CARD, read_front_matter
from releases.door.plain_files import read_plain, require_folders
from releases.door.shards import is_shard, require_sound
from releases.errors import DamagedRelease, VersionTaken
from releases.manifest import FILE_NAME, read_manifest
from releases.registry.index import require_listed
from releases.registry.placement import place_version
from releases.registry.version_files import VersionFiles


class Pulled(NamedTuple):
    """The version's folder, and whether this pull created it."""

    path: UPath
    is_new: bool


def pull(version: VersionFiles, *, into: UPath) -> Pulled:
    """Copy a version to `into/<dataset>/<version>`; if it is there already, do nothing.

    Raises DamagedRelease if a file differs from the manifest, or the manifest from `versions.json` beside the version;
    RefusedRelease if a file is not to be read; and VersionTaken if something else is at the target.
    """
    dataset, number = version.manifest.dataset, version.manifest.version
    manifest_bytes = _content(version, FILE_NAME, most=MANIFEST_BYTES)
    require_folders(into, dataset, number)
    if version.folder is not None and version.folder.name == number:
        require_listed(version.folder.parent, number, manifest_bytes)
    target = into / dataset / number
    if _holds(target, manifest_bytes):
        return Pulled(target, is_new=False)
    files = _files(version, manifest_bytes)
    if not place_version(into / dataset, number, files, identity=manifest_bytes) and not _holds(target, manifest_bytes):
        raise VersionTaken(f"{target} is there already and is not {dataset} {number} of {version.where}: move it away")
    return Pulled(target, is_new=True)


def _holds(target: UPath, manifest_bytes: bytes) -> bool:
    return target.is_dir() and read_plain(target, FILE_NAME, most=MANIFEST_BYTES) == manifest_bytes


def _files(version: VersionFiles, manifest_bytes: bytes) -> Iterator[ReleaseFile]:
    if read_manifest(manifest_bytes, where=f"{version.where}/{FILE_NAME}") != version.manifest:
        raise DamagedRelease(f"{version.where}/{FILE_NAME} changes while it is read: pull the version again")
    for file in version.manifest.files:
        content = _content(version, file.path, most=file.size)
        digest = sha256(content).hexdigest()
        if digest != file.sha256:
            raise DamagedRelease(
                f"{version.where}/{file.path} has the SHA-256 {digest}, the manifest says {file.sha256}: pull the "
                "version again, or from another place"
            )
        _require_sound(file.path, content, f"{version.where}/{file.path}")
        yield ReleaseFile(file.path, content)
    yield ReleaseFile(FILE_NAME, manifest_bytes)


def _require_sound(path: str, content: bytes, where: str) -> None:
    """Refuse what `datasets` would read of a copy: shards, and the YAML of a card."""
    try:
        if is_shard(path):
            require_sound(content, where=where)
        elif path == CARD:
            read_front_matter(content, where=where)
    except (pa.ArrowInvalid, ValueError, YAMLError) as bad:
        raise DamagedRelease(f"{where} cannot be read ({bad}): pull the version from another place") from bad


def _content(version: VersionFiles, path: str, *, most: int) -> bytes:
    content = version.read(path, most=most)
    if content is None:
        raise DamagedRelease(f"{version.where}/{path} is missing: pull the version from another place")
    return content
