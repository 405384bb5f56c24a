"""One dataset repository on the Hub: its branch and tags, its manifests, committing and tagging.

A commit replaces the whole previous version atomically, and only if its parent is still the branch's head. A tag is
never moved.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from releases.bundle import ReleaseFile
from releases.door.bounds import MANIFEST_BYTES
from releases.errors import HubError
from releases.manifest import FILE_NAME, Manifest, read_manifest
from releases.registry.hub_client import HubClient
from releases.version import Version

BRANCH = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refs:
    """The commits of the branch's head and of each version's tag, read at the same time."""

    head: str
    tags: Mapping[Version, str]


class HubRepository:
    """The dataset repository `id` (`namespace/dataset`)."""

    def __init__(self, client: HubClient, id: str) -> None:
        self.id = id
        self._client = client
        self._manifests: dict[tuple[str, str], Manifest | None] = {}

    @property
    def url(self) -> str:
        """The repository's web page."""
        return f"{self._client.endpoint}/datasets/{self.id}"

    def refs(self) -> Refs | None:
        """Head and tags, or None if the repository does not exist or the token may not see it."""
        refs = self._client.ask(
            f"list the tags of {self.id}",
            lambda api: api.list_repo_refs(self.id, repo_type="dataset"),
            answers={404: None},
        )
        if refs is None:
            return None
        heads = [branch.target_commit for branch in refs.branches if branch.name == BRANCH]
        if not heads:
            raise HubError(f"{self.url} has no branch {BRANCH}: make one, or publish into another namespace")
        tags = {tag.name: tag.target_commit for tag in refs.tags if Version.is_version(tag.name)}
        return Refs(head=heads[0], tags={Version.parse(name): commit for name, commit in tags.items()})

    def create(self, *, private: bool) -> None:
        """Create the repository if it does not exist; an existing one keeps its visibility."""
        self._client.ask(
            f"create {self.id}",
            lambda api: api.create_repo(self.id, repo_type="dataset", private=private, exist_ok=True),
        )

    def manifest(self, revision: str, commit: str) -> Manifest | None:
        """The manifest at `revision`, a tag or commit that resolves to `commit`; None if there is none."""
        key = (revision, commit)
        if key not in self._manifests:
            content = self.read(FILE_NAME, revision, most=MANIFEST_BYTES)
            where = f"{self.url}/blob/{revision}/{FILE_NAME}"
            self._manifests[key] = None if content is None else read_manifest(content, where=where)
        return self._manifests[key]

    def read(self, path: str, revision: str, *, most: int) -> bytes | None:
        """A file of at most so many bytes at a revision, or None if there is no such file; raises RefusedRelease."""
        return self._client.read(self.id, path, revision, most=most)

    def holds(self, manifest: Manifest, commit: str) -> bool:
        """Whether the commit has every file of the manifest, by size and, where the Hub reports one, by digest."""
        stored = self._files(commit)
        return all(stored.get(file.path) in ((file.size, file.sha256), (file.size, None)) for file in manifest.files)

    def commit(self, files: Iterable[ReleaseFile], *, onto: str, before: Manifest | None, title: str) -> str | None:
        """Replace the version `before` with `files`; returns the new commit, or None if the head is no longer `onto`.

        Files are uploaded one by one and then released from memory. Content that the Hub already has is not sent again.
        """
        additions = [self._upload(file) for file in files]
        stored = self._files(onto) if before else {}
        new_paths = {addition.path_in_repo for addition in additions}
        removed = [file.path for file in before.files if file.path in stored.keys() - new_paths] if before else []
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            *additions,
            *map(CommitOperationDelete, removed),
        ]
        commit_info = self._client.ask(
            f"commit to {self.id}",
            lambda api: api.create_commit(
                self.id, operations, commit_message=title, repo_type="dataset", revision=BRANCH, parent_commit=onto
            ),
            answers={412: None},
        )
        return commit_info.oid if commit_info else None

    def tag(self, version: str, commit: str) -> bool:
        """Tag the commit with the version; False if the tag exists already."""
        taken = self._client.ask(
            f"tag {self.id} as {version}",
            lambda api: api.create_tag(self.id, tag=version, revision=commit, repo_type="dataset"),
            answers={409: True},
        )
        return not taken

    def _upload(self, file: ReleaseFile) -> CommitOperationAdd:
        addition = CommitOperationAdd(file.path, file.content)

        def upload(api: HfApi) -> None:
            api.preupload_lfs_files(self.id, [addition], repo_type="dataset", revision=BRANCH, free_memory=True)

        self._client.ask(f"upload {file.path} to {self.id}", upload, again=False)
        return addition

    def _files(self, commit: str) -> dict[str, tuple[int | None, str | None]]:
        info = self._client.ask(
            f"list the files of {self.id}",
            lambda api: api.dataset_info(self.id, revision=commit, files_metadata=True, timeout=60),
        )
        return {file.rfilename: (file.size, file.lfs.sha256 if file.lfs else None) for file in info.siblings or []}
