"""What a reader of the Hub would find at a revision."""

from hashlib import sha256

from releases.manifest import read_manifest
from tests.hub.state import Repository

FOREIGN = ("manifest.json", ".gitattributes", "LICENSE")


def whole(repository: Repository, revision: str) -> tuple[str, str]:
    """Version and content of the release at `revision`, whose files must be exactly what its manifest names."""
    files = repository.at(revision).files
    manifest = read_manifest(files["manifest.json"].content, where=revision)
    assert {file.path: file.sha256 for file in manifest.files} == {
        path: sha256(blob.content).hexdigest() for path, blob in files.items() if path not in FOREIGN
    }
    return manifest.version, manifest.content


def versions(repository: Repository) -> dict[str, str]:
    """The content of each tagged version."""
    return dict(whole(repository, tag) for tag in repository.tags)
