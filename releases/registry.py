"""A registry of releases in a plain folder or an object store: `<root>/<dataset>/<version>/`, and `versions.json`.

A version counts from the moment when its entry stands in `versions.json`, and never changes after that. Knows nothing
of what a dataset's rows mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from pydantic import TypeAdapter, ValidationError
from upath import UPath

from generators.storage import write_bytes
from releases.bundle import bundle
from releases.draft import Draft
from releases.errors import PublishContested, UnknownRelease, VersionTaken
from releases.guards import guard
from releases.manifest import FILE_NAME, Manifest, describe, read_manifest, to_json
from releases.placement import place
from releases.version import Version, next_version

INDEX = "versions.json"
_TRIES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version in a registry; `rows` counts by config and split, `is_new` says that this publish made it."""

    dataset: str
    version: str
    path: UPath
    rows: Mapping[str, Mapping[str, int]]
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of `versions.json`: a version, its round, and the SHA-256 of its manifest."""

    version: str
    round: str
    manifest: str


_INDEX = TypeAdapter(list[Entry])


class LocalRegistry:
    """Publishes to and reads from `root`, a local folder or an object-store URL."""

    def __init__(self, root: UPath) -> None:
        self.root = root

    def publish(self, draft: Draft, *, version: str | None = None) -> Release:
        """Release `draft` as `version`, or as the next free one.

        The same rows of the same round are not released twice: the version that holds them comes back. Raises
        VersionTaken when `version` holds other rows, PublishContested when other publishers are faster every time,
        StorageError when the place cannot be written, and what `guard` refuses.
        """
        folder = self.root / draft.dataset
        asked = Version.parse(version) if version else None
        contested: set[Version] = set()
        for _ in range(_TRIES):
            released = self._released(folder)
            same = _same(draft, released, asked)
            if same is not None:
                self._write_index(folder)
                return _release(same, folder, is_new=False)
            number = asked or _free(draft, released, contested)
            if number in released or (asked and asked in contested):
                raise VersionTaken(_taken(draft, folder, number))
            guard(draft, number, self.root)
            manifest = describe(draft, number)
            if place(folder, str(number), bundle(draft, manifest), identity=manifest.to_json()):
                self._write_index(folder)
                return _release(manifest, folder, is_new=True)
            contested.add(number)
        raise PublishContested(
            f"{folder}: other publishers took every version that was tried, {', '.join(map(str, sorted(contested)))}; "
            "publish again when they are done"
        )

    def versions(self, dataset: str) -> list[str]:
        """The released versions, oldest first; empty when there are none."""
        return [entry.version for entry in self._index(self.root / dataset)]

    def latest(self, dataset: str) -> Release | None:
        """The highest released version, or None."""
        versions = self.versions(dataset)
        return self.open(dataset, versions[-1]) if versions else None

    def open(self, dataset: str, version: str) -> Release:
        """One released version; raises UnknownRelease with the versions that there are."""
        manifest = self.manifest(dataset, version)
        return _release(manifest, self.root / dataset, is_new=False)

    def manifest(self, dataset: str, version: str) -> Manifest:
        """The manifest of a released version; raises UnknownRelease when there is none."""
        versions = self.versions(dataset)
        if version not in versions:
            known = ", ".join(versions) or "no versions"
            raise UnknownRelease(f"{self.root / dataset} has no version {version}; there are {known}")
        return _read(self.root / dataset / version)

    def _released(self, folder: UPath) -> dict[Version, Manifest]:
        """Every whole version in the folder, also one whose publisher died before it wrote the index."""
        folder.fs.invalidate_cache()
        if not folder.exists():
            return {}
        names = [child.name for child in folder.iterdir() if Version.is_version(child.name)]
        whole = [name for name in names if (folder / name / FILE_NAME).exists()]
        return {Version.parse(name): _read(folder / name) for name in whole}

    def _index(self, folder: UPath) -> list[Entry]:
        path = folder / INDEX
        if not path.exists():
            return []
        try:
            return _INDEX.validate_json(path.read_bytes())
        except ValidationError as bad:
            raise UnknownRelease(
                f"{path} is damaged; move it away and publish again to have it rewritten: {bad}"
            ) from bad

    def _write_index(self, folder: UPath) -> None:
        # Until it agrees with the folder: a publisher beside us may have written an index that misses our version.
        while True:
            released = self._released(folder)
            entries = [_entry(released[version]) for version in sorted(released)]
            if self._index(folder) == entries:
                return
            write_bytes(folder / INDEX, to_json(_INDEX.dump_python(entries, mode="json")))


def _same(draft: Draft, released: Mapping[Version, Manifest], asked: Version | None) -> Manifest | None:
    """The version that already holds the draft's rows: the asked one, else the last of the draft's round."""
    of_round = [number for number, manifest in released.items() if manifest.facts.round == draft.facts.round]
    number = asked or max(of_round, default=None)
    manifest = released.get(number) if number else None
    return manifest if manifest and manifest.content == draft.content else None


def _free(draft: Draft, released: Mapping[Version, Manifest], contested: set[Version]) -> Version:
    rounds = {number: manifest.facts.round for number, manifest in released.items()}
    return next_version(rounds, draft.facts.round, claimed=contested, major=draft.major)


def _taken(draft: Draft, folder: UPath, number: Version) -> str:
    return (
        f"{draft.dataset} {number} is already in {folder} with other rows, or claimed by another publisher; a released "
        "version is never overwritten: publish without a version, or name a free one"
    )


def _entry(manifest: Manifest) -> Entry:
    digest = sha256(manifest.to_json()).hexdigest()
    return Entry(version=manifest.version, round=manifest.facts.round, manifest=digest)


def _release(manifest: Manifest, folder: UPath, *, is_new: bool) -> Release:
    return Release(
        dataset=manifest.dataset,
        version=manifest.version,
        path=folder / manifest.version,
        rows=manifest.rows,
        is_new=is_new,
    )


def _read(version_folder: UPath) -> Manifest:
    path = version_folder / FILE_NAME
    return read_manifest(path.read_bytes(), where=str(path))
