"""A registry on the Hugging Face Hub: repository `<namespace>/<dataset>`, one commit and then one tag for each version.

A version counts from the moment when its tag is set, and all that a publisher knows of the past it reads from the Hub.
A version that is committed and not tagged is tagged by whoever publishes next, which is how every publish ends and how
a killed one is completed. Knows nothing of what a dataset's rows mean.
"""

from upath import UPath

from releases.bundle import bundle
from releases.card import HubAddress
from releases.comparison.changes import Changes
from releases.draft import Draft
from releases.errors import HubError, PublishContested
from releases.manifest import Manifest, describe
from releases.registry.hub_client import HubClient
from releases.registry.hub_repository import HubRepository, Refs
from releases.registry.patience import Patience
from releases.registry.registry import Release, choose, unknown
from releases.version import Version

_TRIES = 24  # looks at the Hub; a publisher that is alone takes three


class HubRegistry:
    """Publishes to and reads from the repositories of `namespace`, a user or an organisation.

    Repositories that are made are `private` or public; `related` are the namespace's datasets that the cards link to.
    The endpoint comes from HF_ENDPOINT and the token from HF_TOKEN.
    """

    def __init__(
        self,
        namespace: str,
        *,
        private: bool = True,
        related: tuple[str, ...] = (),
        patience: Patience | None = None,
    ) -> None:
        self.namespace = namespace
        self.private = private
        self.related = related
        self._client = HubClient(namespace, patience or Patience())

    def publish(self, draft: Draft, *, version: str | None = None, changes: Changes | None = None) -> Release:
        """As `Registry.publish`; raises HubDenied and HubError too. Publishing again goes on where it stopped.

        `changes` since the version before come from the registry that numbered it.
        """
        repository = self._repository(draft.dataset)
        asked = Version.parse(version) if version else None
        ours: set[Version] = set()
        for _ in range(_TRIES):
            refs = repository.refs()
            if refs is None:
                repository.create(private=self.private)
                continue
            last = repository.manifest(refs.head, refs.head)
            committed = _untagged(last, refs)
            if last and committed and repository.holds(last, refs.head):
                if repository.tag(last.version, refs.head):
                    ours.add(committed)
                continue
            if committed in ours:
                raise HubError(
                    f"{repository.url} does not hold the files that were committed as {committed}: its .gitignore "
                    "names them, or somebody changed them since; mend that and publish again"
                )
            released, claimed = _released(repository, refs)
            if committed:
                claimed.add(committed)  # somebody changed the files since: they are not what the manifest says
            choice = choose(draft, released, asked=asked, claimed=claimed, where=repository.url)
            if isinstance(choice, Manifest):
                return self._release(choice, is_new=Version.parse(choice.version) in ours)
            files = bundle(draft, describe(draft, choice, changes), self._address(draft.dataset))
            title = f"{draft.dataset} {choice}"
            if repository.commit(files, onto=refs.head, before=last, title=title):
                ours.add(choice)
        raise PublishContested(
            f"{repository.url}: other publishers were faster {_TRIES} times; publish again when they are done"
        )

    def versions(self, dataset: str) -> list[str]:
        """The released versions, oldest first; empty when there are none."""
        refs = self._repository(dataset).refs()
        return [str(version) for version in sorted(refs.tags)] if refs else []

    def latest(self, dataset: str) -> Release | None:
        """The highest released version, or None."""
        versions = self.versions(dataset)
        return self.open(dataset, versions[-1]) if versions else None

    def open(self, dataset: str, version: str) -> Release:
        """One released version; raises UnknownRelease with the versions that there are."""
        return self._release(self.manifest(dataset, version), is_new=False)

    def manifest(self, dataset: str, version: str) -> Manifest:
        """The manifest of a released version; raises UnknownRelease when there is none."""
        repository = self._repository(dataset)
        found = repository.manifest(version, version) if Version.is_version(version) else None
        if found is None or found.version != version:
            raise unknown(version, self.versions(dataset), where=repository.url)
        return found

    def collect(self, dataset: str, title: str) -> str:
        """Put the dataset into the namespace's collection `title`, made where it is missing; gives its URL."""
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
        others = {name: self._repository(name).url for name in self.related if name != dataset}
        return HubAddress(repository=self._repository(dataset).id, related=others)

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
    """The version at the branch's head, where it has no tag yet."""
    version = Version.parse(manifest.version) if manifest else None
    return version if version and version not in refs.tags else None


def _released(repository: HubRepository, refs: Refs) -> tuple[dict[Version, Manifest], set[Version]]:
    """The manifest of each tag, and the tags without their own: not ours, and their numbers are taken all the same."""
    found = {version: repository.manifest(str(version), commit) for version, commit in refs.tags.items()}
    released = {number: manifest for number, manifest in found.items() if manifest and manifest.version == str(number)}
    return released, found.keys() - released.keys()
