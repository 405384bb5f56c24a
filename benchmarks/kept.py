"""Caches JSON results on disk, each in its own folder, keyed by everything that determines it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def kept(folder: Path, name: str, content: Mapping[str, Any], make: Callable[[Path], Any]) -> Any:
    """The result of `make` for `content`, read from `<folder>/<name>-<key>/` or computed now.

    `make` gets that folder, may leave files in it, and finds there what an interrupted call left.
    """
    key = hashlib.sha256(json.dumps([name, content], sort_keys=True).encode()).hexdigest()[:12]
    result_folder = folder / f"{name}-{key}"
    result = result_folder / "result.json"
    if not result.exists():
        result_folder.mkdir(parents=True, exist_ok=True)
        (result_folder / "content.json").write_text(json.dumps(content, sort_keys=True, indent=2))
        value = make(result_folder)
        temporary = result_folder / "result.json.tmp"
        temporary.write_text(json.dumps(value))
        temporary.rename(result)
    return json.loads(result.read_text())
