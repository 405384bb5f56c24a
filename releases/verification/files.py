"""Checks a version's files against its manifest, and the manifest against the registry's index.

Hidden files do not belong to a version; downloads and operating systems leave some.
"""

from collections.abc import Iterator
from hashlib import sha256

from pydantic import TypeAdapter, ValidationError
from upath import UPath

from releases.manifest import FILE_NAME, FileFacts, Manifest
from releases.parquet import shards_of
from releases.registry.local import INDEX, Entry
from releases.verification.finding import Checked, Finding
from releases.verification.streamed import StreamedRelease
from releases.version import Version

_INDEX = TypeAdapter(list[Entry])


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
    path = folder / file.path
    if not path.is_file():
        yield Finding(file=file.path, complaint=f"it is missing; the manifest lists it with {file.size} bytes")
        return
    content = path.read_bytes()
    if len(content) != file.size:
        yield Finding(file=file.path, complaint=f"it has {len(content)} bytes, the manifest says {file.size}")
    digest = sha256(content).hexdigest()
    if digest != file.sha256:
        yield Finding(file=file.path, complaint=f"its SHA-256 is {digest}, the manifest says {file.sha256}")


def _unlisted(folder: UPath, listed: set[str]) -> Iterator[Finding]:
    for path in sorted(folder.rglob("*"), key=str):
        name = path.path.removeprefix(folder.path).lstrip("/")
        hidden = any(part.startswith(".") for part in name.split("/"))
        if path.is_file() and not hidden and name not in {*listed, FILE_NAME}:
            yield Finding(file=name, complaint="the manifest does not list it")


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
    index = folder.parent / INDEX
    if not index.exists():
        return
    try:
        digests = {entry.version: entry.manifest for entry in _INDEX.validate_json(index.read_bytes())}
    except ValidationError as bad:
        yield Finding(file=f"../{INDEX}", complaint=f"the registry's index cannot be read: {bad}")
        return
    digest = sha256((folder / FILE_NAME).read_bytes()).hexdigest()
    listed = digests.get(manifest.version, "no such version")
    if listed != digest:
        yield Finding(file=FILE_NAME, complaint=f"its SHA-256 is {digest}, {INDEX} beside the version has {listed}")
