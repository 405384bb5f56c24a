"""versions.json: the versions of a dataset in a folder or object store, with their rounds and manifests' digests."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from pydantic import TypeAdapter, ValidationError
from upath import UPath

from releases.door.bounds import INDEX_BYTES, VERSIONS
from releases.door.json_text import read_json
from releases.door.names import require_digest, require_line
from releases.door.plain_files import read_plain
from releases.door.refusal import refused
from releases.errors import DamagedRelease, RefusedRelease, UnknownRelease
from releases.manifest import FILE_NAME, first_error, read_manifest, to_json
from releases.version import Version

INDEX = "versions.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of `versions.json`: a version, its round, and the SHA-256 of its manifest."""

    version: str
    round: str
    manifest: str


_INDEX = TypeAdapter(list[Entry])


def read_index(folder: UPath) -> list[Entry]:
    """The entries in a dataset's folder, none if there is no index; raises UnknownRelease and RefusedRelease."""
    where = f"{folder}/{INDEX}"
    content = read_plain(folder, INDEX, most=INDEX_BYTES)
    if content is None:
        return []
    try:
        read_json(content, where=where, most=INDEX_BYTES)
        entries = _INDEX.validate_json(content)
    except ValidationError as bad:
        raise damaged(where, first_error(bad)) from bad
    except RefusedRelease as bad:
        raise damaged(where, str(bad).removeprefix(f"{where}: ")) from bad
    _require_entries(entries, where)
    return entries


def damaged(where: str, why: str) -> UnknownRelease:
    """The error for an index that cannot be read."""
    return UnknownRelease(f"{where} is damaged; move it away and publish again to have it rewritten: {why}")


def index_bytes(entries: Sequence[Entry]) -> bytes:
    """The entries as the bytes of versions.json."""
    return to_json(_INDEX.dump_python(list(entries), mode="json"))


def entry(version: str, round: str, manifest: bytes) -> Entry:
    """The entry of a version with the bytes of its manifest."""
    return Entry(version=version, round=round, manifest=sha256(manifest).hexdigest())


def require_listed(folder: UPath, version: str, manifest: bytes) -> None:
    """Raise DamagedRelease if the index in a dataset's folder lists a version with another manifest, or not at all."""
    if (difference := unlisted(read_index(folder), version, manifest)) is not None:
        raise DamagedRelease(f"{folder}/{version}/{FILE_NAME}: {difference}: take the version from another place")


def unlisted(entries: Sequence[Entry], version: str, manifest: bytes) -> str | None:
    """How the bytes of a version's manifest differ from what an index lists; None if they do not, or nothing is listed.

    An earlier stepmill listed the digest of an older manifest as it would write it itself.
    """
    if not entries:
        return None
    digest = sha256(manifest).hexdigest()
    listed = next((one.manifest for one in entries if one.version == version), "no such version")
    if listed in (digest, sha256(read_manifest(manifest, where=FILE_NAME).to_json()).hexdigest()):
        return None
    return f"its SHA-256 is {digest}, {INDEX} beside the version has {listed}"


def _require_entries(entries: Sequence[Entry], where: str) -> None:
    if len(entries) > VERSIONS:
        raise refused(where, "the number of versions", f"there are at most {VERSIONS}", len(entries))
    seen: set[str] = set()
    for number, one in enumerate(entries):
        if not Version.is_version(one.version):
            raise refused(where, f"[{number}].version", "a version looks like v0.1.0", one.version)
        if one.version in seen:
            raise refused(where, f"[{number}].version", "each is listed once", one.version)
        seen.add(one.version)
        require_line(where, f"[{number}].round", one.round)
        require_digest(where, f"[{number}].manifest", one.manifest)
