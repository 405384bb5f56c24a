"""What is wrong with the places that a round writes to: the data root, and the Hub."""

import os
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import get_token
from upath import UPath

from dagster_project.settings.file import Settings
from generators.preflight import Finding
from generators.sampling.storage import StorageError, is_local, remove, write_bytes


def place_findings(settings: Settings) -> Iterator[Finding]:
    """Whether the data root can be written, and whether there is a token for the Hub."""
    if reason := _unwritable(UPath(settings.data_root)):
        yield Finding(
            field="data_root",
            why=f"{settings.data_root} cannot be written ({reason})",
            remedy="correct its permissions, or set data_root to another place",
        )
    if settings.hub is not None and get_token() is None:
        yield Finding(
            field="hub.namespace",
            why=f"releases go to {settings.hub.namespace} on the Hub, and there is no token",
            remedy="set the variable HF_TOKEN to one that may write there, or leave the section [hub] out",
        )


def _unwritable(root: UPath) -> str | None:
    """Why nothing can be written below the root; a local folder is not created for the answer."""
    if not is_local(root):
        probe = root / ".stepmill-check"
        try:
            write_bytes(probe, b"")
            remove(probe)
        except (StorageError, OSError, ImportError, ValueError) as error:
            return str(error)
        return None
    folder = Path(root.path)
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        return f"{folder} is a file"
    return None if os.access(folder, os.W_OK | os.X_OK) else f"{folder} is read-only"
