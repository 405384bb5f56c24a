"""Folders of models built here: each is complete or absent, and every file matches its manifest."""

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
    """Where built models are kept: under `cache`, else `$STEPMILL_CACHE`, else the user's cache directory."""
    return (cache or Path(os.environ.get("STEPMILL_CACHE") or user_cache_path("stepmill"))) / "models"


def make_once(folder: Path, make: Callable[[Path], None], *, version: str) -> None:
    """Have `make` fill `folder`, which appears complete or not at all even if another process builds it too."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        built = Path(scratch) / folder.name
        built.mkdir()
        make(built)
        hashes = {path.name: file_digest(path) for path in sorted(built.iterdir())}
        (built / MANIFEST).write_text(json.dumps({"version": version, "sha256": hashes}, indent=2) + "\n")
        try:
            built.rename(folder)
        except OSError:
            if not (folder / MANIFEST).exists():  # otherwise another process was first, and its folder will do
                raise


def check_folder(folder: Path) -> None:
    """Raise EngineMisconfigured unless every file has the hash given in the folder's manifest."""
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
