"""The interface of every registry of releases: publish a draft as a version, list the versions, open one.

`releases.registry.local` keeps versions in a folder or an object store, `releases.registry.hub` on the Hugging Face
Hub. The version number of a draft is chosen here, so it is the same in every registry with the same history.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from upath import UPath

from releases.draft import Draft
from releases.errors import UnknownRelease, VersionTaken
from releases.manifest import Manifest
from releases.names import instead
from releases.registry.version_files import VersionFiles
from releases.version import Version, next_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version in a registry.

    `path` is where its files are read, on any file system, and `url` is its page for people. `rows` counts rows by
    config and split. `is_new` says whether this publish created or completed the version.
    """

    dataset: str
    version: str
    path: UPath
    url: str
    rows: Mapping[str, Mapping[str, int]]
    is_new: bool


class Registry(Protocol):
    """Immutable versions of datasets. `where` is the folder or URL that the datasets are below."""

    @property
    def where(self) -> str: ...

    def publish(self, draft: Draft, *, version: str | None = None) -> Release:
        """Release `draft` as `version`, or as the next free one.

        The same rows of the same round are not released twice: the version that holds them is returned. Raises
        VersionTaken if `version` holds other rows, and PublishContested if other publishers are faster every time.
        """
        ...

    def datasets(self) -> list[str]:
        """The names of the released datasets, in alphabetical order."""
        ...

    def versions(self, dataset: str) -> list[str]:
        """The released versions, oldest first; empty if there are none."""
        ...

    def latest(self, dataset: str) -> Release | None:
        """The highest released version, or None."""
        ...

    def open(self, dataset: str, version: str) -> Release:
        """One released version; raises UnknownRelease naming the datasets or versions that there are."""
        ...

    def manifest(self, dataset: str, version: str) -> Manifest:
        """The manifest of a released version; raises UnknownRelease if there is none."""
        ...

    def files(self, dataset: str, version: str) -> VersionFiles:
        """The files of a released version; raises UnknownRelease if there is none."""
        ...


def choose(
    draft: Draft,
    released: Mapping[Version, Manifest],
    *,
    requested: Version | None,
    claimed: Collection[Version],
    where: str,
) -> Manifest | Version:
    """The version that already holds the draft's rows, or the number to release them as.

    `claimed` are numbers that are neither released nor free. Raises VersionTaken if the `requested` number is
    claimed or holds other rows.
    """
    same = _same(draft, released, requested)
    if same is not None:
        return same
    rounds = {number: manifest.facts.round for number, manifest in released.items()}
    number = requested or next_version(rounds, draft.facts.round, claimed=claimed, major=draft.major)
    if number in released or number in claimed:
        raise VersionTaken(
            f"{draft.dataset} {number} is already in {where} with other rows, or claimed by another publisher; a "
            "released version is never overwritten: publish without a version, or name a free one"
        )
    return number


def unknown_release(registry: Registry, dataset: str, version: str | None, *, condition: str = "") -> UnknownRelease:
    """The error for a dataset or version that does not exist, or for `version` None, which names none.

    `condition` says which datasets of the registry can be seen.
    """
    versions = registry.versions(dataset)
    if not versions and dataset not in (datasets := registry.datasets()):
        known = instead(dataset, datasets, plural="datasets")
        return UnknownRelease(f"there is no dataset {dataset} in {registry.where}{condition}; {known}")
    where = f"{registry.where}/{dataset}"
    if version is None and versions:
        return UnknownRelease(f"{where} is a dataset: name its version with --version, one of {', '.join(versions)}")
    if version is None:
        return UnknownRelease(f"{where} has no versions")
    return UnknownRelease(f"{where} has no version {version}; {instead(version, versions, plural='versions')}")


def _same(draft: Draft, released: Mapping[Version, Manifest], requested: Version | None) -> Manifest | None:
    """The version that already holds the draft's rows: the requested one, or the last of the draft's round."""
    of_round = [number for number, manifest in released.items() if manifest.facts.round == draft.facts.round]
    number = requested or max(of_round, default=None)
    manifest = released.get(number) if number else None
    return manifest if manifest and manifest.content == draft.content else None
