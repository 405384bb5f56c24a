"""A Hub in memory: repositories with content-addressed commits, tags that are set once, collections.

Knows nothing of HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from typing import NamedTuple

LARGE = (".parquet", ".png")


class Refused(Exception):
    """The Hub says no, with a status and the code that its clients look at."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Blob(NamedTuple):
    """A file's content, and whether it is kept as a large file."""

    content: bytes
    large: bool

    @property
    def oid(self) -> str:
        """What the Hub calls its id: SHA-256 for a large file, git's SHA-1 for another."""
        if self.large:
            return sha256(self.content).hexdigest()
        return sha1(b"blob %d\0" % len(self.content) + self.content).hexdigest()


@dataclass(frozen=True)
class Commit:
    oid: str
    title: str
    files: Mapping[str, Blob]


class Repository:
    """One dataset repository; it is born with a commit, as on the Hub."""

    def __init__(self, id: str, *, private: bool) -> None:
        self.id = id
        self.private = private
        self.commits: list[Commit] = []
        self.tags: dict[str, str] = {}
        self.commit("initial commit", {".gitattributes": Blob(b"*.parquet filter=lfs\n", False)}, [], None)

    @property
    def head(self) -> Commit:
        return self.commits[-1]

    def at(self, revision: str) -> Commit:
        """The commit that a branch, a tag or an id names."""
        oid = self.tags.get(revision, revision)
        for commit in self.commits:
            if oid == commit.oid:
                return commit
        if revision == "main":
            return self.head
        raise Refused(404, f"no revision {revision}", "RevisionNotFound")

    def commit(self, title: str, added: Mapping[str, Blob], deleted: list[str], parent: str | None) -> Commit:
        if parent is not None and parent != self.head.oid:
            raise Refused(412, "a commit has happened since")
        files = dict(self.head.files) if self.commits else {}
        for path in deleted:
            if path not in files:
                raise Refused(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
            del files[path]
        files.update(added)
        names = "".join(f"{path} {blob.oid}\n" for path, blob in sorted(files.items()))
        past = self.head.oid if self.commits else ""
        made = Commit(sha1(f"{past}\n{title}\n{names}".encode()).hexdigest(), title, files)
        self.commits.append(made)
        return made

    def tag(self, name: str, revision: str) -> None:
        if name in self.tags:
            raise Refused(409, f"tag {name} exists")
        self.tags[name] = self.at(revision).oid


@dataclass
class HubState:
    """Everything that the Hub knows."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    large_files: dict[str, bytes] = field(default_factory=dict)
    collections: dict[str, dict] = field(default_factory=dict)

    def repository(self, id: str) -> Repository:
        if id not in self.repositories:
            raise Refused(404, f"no repository {id}", "RepoNotFound")
        return self.repositories[id]

    def collection(self, slug: str) -> dict:
        if slug not in self.collections:
            raise Refused(404, f"no collection {slug}")
        return self.collections[slug]
