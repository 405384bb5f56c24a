"""A registry of releases in a folder or an object store: `<root>/<dataset>/<version>/`, and `versions.json`.

A version is released at the moment its entry is in `versions.json`, and never changes afterwards.
"""

from collections.abc import Mapping

from upath import UPath

from generators.sampling.storage import write_bytes
from releases.bundle import bundle
from releases.comparison.changes import Changes
from releases.comparison.since import changes_since
from releases.door.bounds import MANIFEST_BYTES
from releases.door.names import is_name
from releases.door.plain_files import read_plain, require_folders
from releases.draft import Draft
from releases.errors import PublishContested, UnknownRelease
from releases.guards import guard
from releases.manifest import FILE_NAME, Manifest, describe, read_manifest
from releases.registry.index import INDEX, Entry, entry, index_bytes, read_index, require_listed
from releases.registry.placement import place_version
from releases.registry.registry import Release, choose, unknown_release
from releases.registry.version_files import VersionFiles, files_in
from releases.version import Version

_TRIES = 8


class LocalRegistry:
    """Publishes to and reads from `root`, a local folder or an object-store URL."""

    def __init__(self, root: UPath) -> None:
        self.root = root

    @property
    def where(self) -> str:
        """The root as text."""
        return str(self.root)

    def publish(self, draft: Draft, *, version: str | None = None) -> Release:
        """As `Registry.publish`; also raises StorageError if the root cannot be written, and the errors of `guard`."""
        folder = self.root / draft.dataset
        requested = Version.parse(version) if version else None
        contested: set[Version] = set()
        for _ in range(_TRIES):
            released = {version: manifest for version, (manifest, _) in self._released(folder).items()}
            choice = choose(draft, released, requested=requested, claimed=contested, where=str(folder))
            if isinstance(choice, Manifest):
                self._write_index(folder)
                return _release(choice, folder, is_new=False)
            guard(draft, choice, self.root)
            manifest = describe(draft, choice, _changes(draft, choice, released, folder))
            if place_version(folder, str(choice), bundle(draft, manifest), identity=manifest.to_json()):
                self._write_index(folder)
                return _release(manifest, folder, is_new=True)
            contested.add(choice)
        raise PublishContested(
            f"{folder}: other publishers took every version that was tried, {', '.join(map(str, sorted(contested)))}; "
            "publish again when they are done"
        )

    def datasets(self) -> list[str]:
        """The names of the released datasets, in alphabetical order."""
        folders = self.root.iterdir() if self.root.is_dir() else ()
        return sorted(folder.name for folder in folders if is_name(folder.name) and (folder / INDEX).exists())

    def versions(self, dataset: str) -> list[str]:
        """The released versions, oldest first; empty if there are none."""
        return [listed.version for listed in self._index(dataset)]

    def rounds(self, dataset: str) -> dict[str, str]:
        """The round of each released version, oldest first; empty if there are none."""
        return {listed.version: listed.round for listed in self._index(dataset)}

    def latest(self, dataset: str) -> Release | None:
        """The highest released version, or None."""
        versions = self.versions(dataset)
        return self.open(dataset, versions[-1]) if versions else None

    def open(self, dataset: str, version: str) -> Release:
        """One released version; raises UnknownRelease naming the datasets or versions that there are."""
        manifest = self.manifest(dataset, version)
        return _release(manifest, self.root / dataset, is_new=False)

    def manifest(self, dataset: str, version: str) -> Manifest:
        """The manifest of a released version; raises UnknownRelease if there is none."""
        return self.files(dataset, version).manifest

    def files(self, dataset: str, version: str) -> VersionFiles:
        """The files of a released version; raises UnknownRelease if there is none, and DamagedRelease.

        A manifest that is not the one in versions.json is not read.
        """
        if version not in self.versions(dataset):
            raise self.unknown(dataset, version)
        require_folders(self.root, dataset, version)
        files = files_in(self.root / dataset / version)
        require_listed(self.root / dataset, version, _manifest_bytes(self.root / dataset / version))
        if files.manifest.dataset != dataset:
            raise UnknownRelease(f"{files.where} holds {files.manifest.dataset}, not {dataset}: name its own folder")
        return files

    def unknown(self, dataset: str, version: str | None) -> UnknownRelease:
        """The error for a dataset or version that does not exist, or for a version that is not named."""
        return unknown_release(self, dataset, version)

    def _released(self, folder: UPath) -> dict[Version, tuple[Manifest, Entry]]:
        """Every complete version in the folder, including one whose publisher died before it wrote the index."""
        folder.fs.invalidate_cache()
        if not folder.exists():
            return {}
        names = [child.name for child in folder.iterdir() if Version.is_version(child.name)]
        whole = [name for name in names if (folder / name / FILE_NAME).exists()]
        return {Version.parse(name): _read(folder / name) for name in whole}

    def _index(self, dataset: str) -> list[Entry]:
        return read_index(self.root / dataset) if is_name(dataset) else []

    def _write_index(self, folder: UPath) -> None:
        # Repeat until the index matches the folder: a concurrent publisher may have written one without our version.
        while True:
            released = self._released(folder)
            entries = [released[version][1] for version in sorted(released)]
            if read_index(folder) == entries:
                return
            write_bytes(folder / INDEX, index_bytes(entries))


def _changes(draft: Draft, number: Version, released: Mapping[Version, Manifest], folder: UPath) -> Changes | None:
    """The changes since the highest version below `number`, or None if there is none."""
    before = max((version for version in released if version < number), default=None)
    return None if before is None else changes_since(draft, folder / str(before), released[before])


def _release(manifest: Manifest, folder: UPath, *, is_new: bool) -> Release:
    return Release(
        dataset=manifest.dataset,
        version=manifest.version,
        path=folder / manifest.version,
        url=str(folder / manifest.version),
        rows=manifest.rows,
        is_new=is_new,
    )


def _read(version_folder: UPath) -> tuple[Manifest, Entry]:
    content = _manifest_bytes(version_folder)
    manifest = read_manifest(content, where=f"{version_folder}/{FILE_NAME}")
    return manifest, entry(manifest.version, manifest.facts.round, content)


def _manifest_bytes(version_folder: UPath) -> bytes:
    content = read_plain(version_folder, FILE_NAME, most=MANIFEST_BYTES)
    if content is None:
        raise UnknownRelease(f"{version_folder} holds no {FILE_NAME}: name the folder of one version")
    return content
