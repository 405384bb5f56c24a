"""Results that are made once and read back: each in a folder of its own, under a key of all that it follows from.

Knows nothing of what a result is, but that JSON can hold it.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def kept(folder: Path, name: str, content: Mapping[str, Any], make: Callable[[Path], Any]) -> Any:
    """What `make` gave for `content`, out of `<folder>/<name>-<key>/`; made now where it is not there yet.

    `make` may leave files in that folder, and finds there what an earlier call left that was cut off.
    """
    key = hashlib.sha256(json.dumps([name, content], sort_keys=True).encode()).hexdigest()[:12]
    own = folder / f"{name}-{key}"
    result = own / "result.json"
    if not result.exists():
        own.mkdir(parents=True, exist_ok=True)
        (own / "content.json").write_text(json.dumps(content, sort_keys=True, indent=2))
        made = make(own)
        written = own / "result.json.tmp"
        written.write_text(json.dumps(made))
        written.rename(result)
    return json.loads(result.read_text())
