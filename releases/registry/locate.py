"""Finds the version that a command names: in a folder, in an object store, or on the Hugging Face Hub.

`organisation/dataset` is a repository on the Hub, unless there is a folder `organisation` here.
"""

import re
from pathlib import Path

from upath import UPath

from releases.errors import ReleaseError, UnknownRelease
from releases.manifest import FILE_NAME
from releases.registry.hub import HubRegistry
from releases.registry.local import LocalRegistry
from releases.registry.retry import RetryPolicy
from releases.registry.version_files import VersionFiles, files_in

_HUB = re.compile(r"(?:hf://datasets/)?(?P<namespace>\w[\w.-]*)/(?P<dataset>\w[\w.-]*)(?:@(?P<version>[^/@]+))?")
_FOLDER = re.compile(r"(?P<folder>.+?)(?:@(?P<version>v\d[^/@]*))?")
_RETRY = RetryPolicy(tries=3)  # somebody waits at the terminal


def locate(release: str, version: str | None = None) -> VersionFiles:
    """The version that `release` names by itself, as `<dataset>@<version>`, or with `version`.

    Raises UnknownRelease with the datasets or versions that there are, and HubError.
    """
    if hub := _HUB.fullmatch(release):
        requested = _requested(release, hub["version"], version)
        if release.startswith("hf://"):
            return _on_hub(hub["namespace"], hub["dataset"], requested)
        if not Path(hub["namespace"]).exists():
            try:
                return _on_hub(hub["namespace"], hub["dataset"], requested)
            except ReleaseError as error:
                raise type(error)(f"{release} is no folder here, and on the Hub: {error}") from error
    if release.startswith("hf://"):
        raise UnknownRelease(f"{release} is no dataset on the Hub: write hf://datasets/<organisation>/<dataset>")
    if (folder := _FOLDER.fullmatch(release)) is None:
        raise UnknownRelease("the name of the release is empty: name a folder, a URL or a repository on the Hub")
    return _in_folder(_folder(folder["folder"]), _requested(release, folder["version"], version))


def _requested(release: str, own: str | None, version: str | None) -> str | None:
    if own and version and own != version:
        raise UnknownRelease(f"{release} and --version {version} name two versions: leave one of them out")
    return own or version


def _on_hub(namespace: str, dataset: str, version: str | None) -> VersionFiles:
    registry = HubRegistry(namespace, reads_only=True, retry=_RETRY)
    if version is None:
        raise registry.unknown(dataset, None)
    return registry.files(dataset, version)


def _in_folder(folder: UPath, version: str | None) -> VersionFiles:
    if (folder / FILE_NAME).exists():
        files = files_in(folder)
        if version not in (None, files.manifest.version):
            raise UnknownRelease(f"{folder} holds version {files.manifest.version}, not {version}")
        return files
    registry = LocalRegistry(folder.parent)
    if version and not registry.versions(folder.name) and (folder / version / FILE_NAME).exists():
        return files_in(folder / version)  # a copy by `pull`, which has no index
    if version is None:
        if datasets := LocalRegistry(folder).datasets():
            raise UnknownRelease(f"{folder} holds datasets; name one of them: {', '.join(datasets)}")
        raise registry.unknown(folder.name, None)
    return registry.files(folder.name, version)


def _folder(text: str) -> UPath:
    """The path or URL; raises UnknownRelease if its file system cannot be reached."""
    try:
        folder = UPath(text).absolute()
        folder.exists()
    except Exception as error:  # the driver of each object store raises errors of its own
        raise UnknownRelease(f"{text} cannot be opened: {' '.join(str(error).split())}") from error
    return folder
