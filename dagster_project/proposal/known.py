"""Which known set some rows are of, by the id on the Hub or by the name of the file, and by their columns."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generators.problems.columns import ColumnMapping
from generators.problems.paths import leads_somewhere
from generators.problems.presets import PRESETS

_PARTS = re.compile(r"(?:^|_)(?:train|test|validation|valid|dev|eval|data|problems|main|rl|[0-9]{5}|of)(?=_|$)")


def known_set(rows: Sequence[Mapping[str, Any]], name: str, dataset: str | None) -> str | None:
    """The preset of a dataset on the Hub, or of a file of this name; None unless the rows have its columns."""
    candidates = _of_dataset(dataset) if dataset else _of_name(name)
    return next((preset for preset in candidates if _has_columns(rows, preset)), None)


def mapping_of(preset: str) -> ColumnMapping:
    """The columns of a preset."""
    return ColumnMapping(**PRESETS[preset].columns)  # type: ignore[arg-type]


def _of_dataset(dataset: str) -> Iterator[str]:
    return (name for name, preset in PRESETS.items() if preset.hub.get("dataset", "").lower() == dataset.lower())


def _of_name(name: str) -> Iterator[str]:
    """The presets whose name a file has, apart from words for its part of the set."""
    bare = _bare(_PARTS.sub("", name))
    return (preset for preset in PRESETS if _bare(preset) == bare)


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _has_columns(rows: Sequence[Mapping[str, Any]], preset: str) -> bool:
    paths = mapping_of(preset).paths
    return all(leads_somewhere(rows, path) or any(path in row for row in rows) for path in paths)
