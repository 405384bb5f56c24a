"""Checks a version's files against its manifest, and the manifest against the registry's index.

Hidden files do not belong to a version; downloads and operating systems leave some.
"""

from collections.abc import Iterator
from hashlib import sha256

from upath import UPath

from releases.door.bounds import MANIFEST_BYTES
from releases.door.plain_files import blocks, names_below, open_plain, read_plain
from releases.door.text import visible
from releases.errors import DamagedRelease, UnknownRelease
from releases.manifest import FILE_NAME, FileFacts, Manifest
from releases.parquet import shards_of
from releases.registry.index import INDEX, read_index, unlisted
from releases.verification.finding import Checked, Finding
from releases.verification.streamed import StreamedRelease
from releases.version import Version


def check_files(release: StreamedRelease) -> Checked:
    """Every listed file exists as listed, no shard of a split is missing, and there are no other files."""
    listed = release.manifest.files
    return Checked.of(
        len(listed) + 1,
        "files",
        [
            *(finding for file in listed for finding in _differences(release.folder, file)),
            *_unlisted(release.folder, {file.path for file in listed}),
            *_missing_shards(release.manifest),
            *_manifest(release.folder, release.manifest),
        ],
    )


def _differences(folder: UPath, file: FileFacts) -> Iterator[Finding]:
    try:
        with open_plain(folder, file.path) as (content, size):
            if size != file.size:  # then it is not what is listed, and may be very long
                yield Finding(file=file.path, complaint=f"it has {size} bytes, the manifest says {file.size}")
                return
            digest = sha256()
            for block in blocks(content, where=f"{folder}/{file.path}", most=size):
                digest.update(block)
    except FileNotFoundError:
        yield Finding(file=file.path, complaint=f"it is missing; the manifest lists it with {file.size} bytes")
        return
    if (found := digest.hexdigest()) != file.sha256:
        yield Finding(file=file.path, complaint=f"its SHA-256 is {found}, the manifest says {file.sha256}")


def _unlisted(folder: UPath, listed: set[str]) -> Iterator[Finding]:
    for name in names_below(folder):
        if name not in {*listed, FILE_NAME}:
            yield Finding(file=visible(name), complaint="the manifest does not list it")


def _missing_shards(manifest: Manifest) -> Iterator[Finding]:
    """Shards that must exist by the names of the others, but that the manifest does not list."""
    listed = {shard.path: shard for shard in shards_of(manifest)}
    n_shards_of = {path: shard.total for shard in listed.values() for path in shard.siblings}
    for path in sorted(n_shards_of.keys() - listed.keys()):
        yield Finding(
            file=path, complaint=f"the manifest does not list it, and it is one of {n_shards_of[path]} shards"
        )


def _manifest(folder: UPath, manifest: Manifest) -> Iterator[Finding]:
    """The manifest belongs to the folder's version, and its digest is the one in the registry's index."""
    if Version.is_version(folder.name) and folder.name != manifest.version:
        yield Finding(file=FILE_NAME, complaint=f"it is of version {manifest.version}, the folder is {folder.name}")
    try:
        entries = read_index(folder.parent)
    except (UnknownRelease, DamagedRelease) as bad:
        yield Finding(file=f"../{INDEX}", complaint=f"the registry's index cannot be read: {bad}")
        return
    content = read_plain(folder, FILE_NAME, most=MANIFEST_BYTES) or b""
    if (difference := unlisted(entries, manifest.version, content)) is not None:
        yield Finding(file=FILE_NAME, complaint=difference)
