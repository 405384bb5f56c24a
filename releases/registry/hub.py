"""A registry on the Hugging Face Hub: repository `<namespace>/<dataset>`, one commit and one tag per version.

A version is released at the moment its tag is set, and a publisher reads all history from the Hub. A committed version
without a tag is tagged by whoever publishes next. That is how every publish ends, and how a killed one is completed.
"""

from upath import UPath

from releases.bundle import bundle
from releases.card import HubAddress
from releases.comparison.changes import Changes
from releases.draft import Draft
from releases.errors import HubError, PublishContested, UnknownRelease
from releases.manifest import Manifest, describe
from releases.registry.hub_client import TOKEN_VARIABLE, HubClient
from releases.registry.hub_repository import HubRepository, Refs
from releases.registry.registry import Release, choose, unknown_release
from releases.registry.retry import RetryPolicy
from releases.registry.version_files import VersionFiles
from releases.version import Version

_TRIES = 24  # looks at the Hub; a publisher without competition takes three


class HubRegistry:
    """Publishes to and reads from the repositories of `namespace`, a user or an organisation.

    New repositories are `private` or public. `related` are the namespace's datasets that the cards link to. The
    endpoint comes from HF_ENDPOINT and the token from HF_TOKEN. With `reads_only`, errors ask for no right to write.
    """

    def __init__(
        self,
        namespace: str,
        *,
        private: bool = True,
        related: tuple[str, ...] = (),
        reads_only: bool = False,
        retry: RetryPolicy | None = None,
    ) -> None:
        self.namespace = namespace
        self.private = private
        self.related = related
        self._client = HubClient(namespace, retry or RetryPolicy(), reads_only=reads_only)

    @property
    def where(self) -> str:
        """The URL that the repositories' pages are below."""
        return f"{self._client.endpoint}/datasets/{self.namespace}"

    def publish(self, draft: Draft, *, version: str | None = None, changes: Changes | None = None) -> Release:
        """As `Registry.publish`; also raises HubDenied and HubError. Publishing again resumes where it stopped.

        `changes` since the previous version come from the registry that chose the version number.
        """
        repository = self._repository(draft.dataset)
        requested = Version.parse(version) if version else None
        committed_here: set[Version] = set()
        for _ in range(_TRIES):
            refs = repository.refs()
            if refs is None:
                repository.create(private=self.private)
                continue
            last = repository.manifest(refs.head, refs.head)
            committed = _untagged(last, refs)
            if last and committed and repository.holds(last, refs.head):
                if repository.tag(last.version, refs.head):
                    committed_here.add(committed)
                continue
            if committed in committed_here:
                raise HubError(
                    f"{repository.url} does not hold the files that were committed as {committed}: its .gitignore "
                    "names them, or somebody changed them since; mend that and publish again"
                )
            released, claimed = _released(repository, refs)
            if committed:
                claimed.add(committed)  # its files were changed later and no longer match the manifest
            choice = choose(draft, released, requested=requested, claimed=claimed, where=repository.url)
            if isinstance(choice, Manifest):
                return self._release(choice, is_new=Version.parse(choice.version) in committed_here)
            files = bundle(draft, describe(draft, choice, changes), self._address(draft.dataset))
            title = f"{draft.dataset} {choice}"
            if repository.commit(files, onto=refs.head, before=last, title=title):
                committed_here.add(choice)
        raise PublishContested(
            f"{repository.url}: other publishers were faster {_TRIES} times; publish again when they are done"
        )

    def datasets(self) -> list[str]:
        """The names of the namespace's datasets that the token may read, in alphabetical order."""
        return self._client.datasets()

    def versions(self, dataset: str) -> list[str]:
        """The released versions, oldest first; empty if there are none."""
        refs = self._repository(dataset).refs()
        return [str(version) for version in sorted(refs.tags)] if refs else []

    def latest(self, dataset: str) -> Release | None:
        """The highest released version, or None."""
        versions = self.versions(dataset)
        return self.open(dataset, versions[-1]) if versions else None

    def open(self, dataset: str, version: str) -> Release:
        """One released version; raises UnknownRelease naming the datasets or versions that there are."""
        return self._release(self.manifest(dataset, version), is_new=False)

    def manifest(self, dataset: str, version: str) -> Manifest:
        """The manifest of a released version; raises UnknownRelease if there is none."""
        repository = self._repository(dataset)
        manifest = repository.manifest(version, version) if Version.is_version(version) else None
        if manifest is None or manifest.version != version:
            raise self.unknown(dataset, version)
        return manifest

    def files(self, dataset: str, version: str) -> VersionFiles:
        """The files of a released version; raises UnknownRelease if there is none."""
        manifest = self.manifest(dataset, version)
        repository = self._repository(dataset)
        return VersionFiles(
            where=f"{repository.url}/resolve/{version}",
            manifest=manifest,
            read=lambda path, *, most: repository.read(path, version, most=most),
        )

    def unknown(self, dataset: str, version: str | None) -> UnknownRelease:
        """The error for a dataset or version that does not exist, or for a version that is not named."""
        readable = f"that {TOKEN_VARIABLE} may read" if self._client.has_token else f"without {TOKEN_VARIABLE}"
        return unknown_release(self, dataset, version, condition=f" {readable}")

    def collect(self, dataset: str, title: str) -> str:
        """Put the dataset into the namespace's collection `title`, creating it if needed; returns its URL."""
        item = self._repository(dataset).id
        collection = self._client.ask(
            f"make the collection {title!r}",
            lambda api: api.create_collection(title, namespace=self.namespace, private=self.private, exists_ok=True),
        )
        self._client.ask(
            f"put {item} into the collection {title!r}",
            lambda api: api.add_collection_item(collection.slug, item, "dataset", exists_ok=True),
        )
        return f"{self._client.endpoint}/collections/{collection.slug}"

    def _repository(self, dataset: str) -> HubRepository:
        return HubRepository(self._client, f"{self.namespace}/{dataset}")

    def _address(self, dataset: str) -> HubAddress:
        related = {name: self._repository(name).url for name in self.related if name != dataset}
        return HubAddress(repository=self._repository(dataset).id, related=related)

    def _release(self, manifest: Manifest, *, is_new: bool) -> Release:
        repository = self._repository(manifest.dataset)
        return Release(
            dataset=manifest.dataset,
            version=manifest.version,
            path=UPath(f"hf://datasets/{repository.id}@{manifest.version}", endpoint=self._client.endpoint),
            url=f"{repository.url}/tree/{manifest.version}",
            rows=manifest.rows,
            is_new=is_new,
        )


def _untagged(manifest: Manifest | None, refs: Refs) -> Version | None:
    """The version at the branch's head if it has no tag yet."""
    version = Version.parse(manifest.version) if manifest else None
    return version if version and version not in refs.tags else None


def _released(repository: HubRepository, refs: Refs) -> tuple[dict[Version, Manifest], set[Version]]:
    """The manifest of each version tag, and the tags whose manifest is missing or foreign; those numbers are taken."""
    manifests = {version: repository.manifest(str(version), commit) for version, commit in refs.tags.items()}
    released = {
        number: manifest for number, manifest in manifests.items() if manifest and manifest.version == str(number)
    }
    return released, manifests.keys() - released.keys()
