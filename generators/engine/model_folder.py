"""A folder with a model that was made here: whole or not there at all, and every file as its manifest says.

Knows nothing of how a model is made.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_path

from generators.engine.errors import EngineMisconfigured

MANIFEST = "manifest.json"


def models_folder(cache: Path | None = None) -> Path:
    """Where made models are kept: below `cache`, or `$STEPMILL_CACHE`, or the user's cache directory."""
    return (cache or Path(os.environ.get("STEPMILL_CACHE") or user_cache_path("stepmill"))) / "models"


def make_once(folder: Path, make: Callable[[Path], None], *, version: str) -> None:
    """Let `make` fill a folder that appears under its name whole or not at all, whoever else makes it meanwhile."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        made = Path(scratch) / folder.name
        made.mkdir()
        make(made)
        hashes = {path.name: file_digest(path) for path in sorted(made.iterdir())}
        (made / MANIFEST).write_text(json.dumps({"version": version, "sha256": hashes}, indent=2) + "\n")
        try:
            made.rename(folder)
        except OSError:
            if not (folder / MANIFEST).exists():  # otherwise another process was first, and its folder serves us both
                raise


def check_folder(folder: Path) -> None:
    """Raise unless every file has the hash that the folder's manifest gives."""
    remedy = "delete the folder and run again"
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise EngineMisconfigured(f"{folder} has no {MANIFEST}: {remedy}")
    for name, expected in json.loads(manifest.read_text())["sha256"].items():
        path = folder / name
        if not path.is_file() or file_digest(path) != expected:
            raise EngineMisconfigured(f"{path} is missing or damaged: {remedy}")


def file_digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
