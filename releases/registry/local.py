"""A registry of releases in a plain folder or an object store: `<root>/<dataset>/<version>/`, and `versions.json`.

A version counts from the moment when its entry stands in `versions.json`, and never changes after that. Knows nothing
of what a dataset's rows mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from pydantic import TypeAdapter, ValidationError
from upath import UPath

from generators.sampling.storage import write_bytes
from releases.bundle import bundle
from releases.comparison.changes import Changes
from releases.comparison.since import changes_since
from releases.draft import Draft
from releases.errors import PublishContested, UnknownRelease
from releases.guards import guard
from releases.manifest import FILE_NAME, Manifest, describe, read_manifest, to_json
from releases.registry.placement import place
from releases.registry.registry import Release, choose, unknown
from releases.version import Version

INDEX = "versions.json"
_TRIES = 8


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
        """As `Registry.publish`; raises StorageError where the place cannot be written, and what `guard` refuses."""
        folder = self.root / draft.dataset
        asked = Version.parse(version) if version else None
        contested: set[Version] = set()
        for _ in range(_TRIES):
            released = self._released(folder)
            choice = choose(draft, released, asked=asked, claimed=contested, where=str(folder))
            if isinstance(choice, Manifest):
                self._write_index(folder)
                return _release(choice, folder, is_new=False)
            guard(draft, choice, self.root)
            manifest = describe(draft, choice, _changes(draft, choice, released, folder))
            if place(folder, str(choice), bundle(draft, manifest), identity=manifest.to_json()):
                self._write_index(folder)
                return _release(manifest, folder, is_new=True)
            contested.add(choice)
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
            raise unknown(version, versions, where=str(self.root / dataset))
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


def _changes(draft: Draft, number: Version, released: Mapping[Version, Manifest], folder: UPath) -> Changes | None:
    """What is different from the highest version below `number`, where there is one."""
    before = max((version for version in released if version < number), default=None)
    return None if before is None else changes_since(draft, folder / str(before), released[before])


def _entry(manifest: Manifest) -> Entry:
    digest = sha256(manifest.to_json()).hexdigest()
    return Entry(version=manifest.version, round=manifest.facts.round, manifest=digest)


def _release(manifest: Manifest, folder: UPath, *, is_new: bool) -> Release:
    return Release(
        dataset=manifest.dataset,
        version=manifest.version,
        path=folder / manifest.version,
        url=str(folder / manifest.version),
        rows=manifest.rows,
        is_new=is_new,
    )


def _read(version_folder: UPath) -> Manifest:
    path = version_folder / FILE_NAME
    return read_manifest(path.read_bytes(), where=str(path))
