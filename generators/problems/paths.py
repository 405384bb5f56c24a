"""Dotted paths into a row: `reward_model.ground_truth`, `messages.0.content`, `choices.text`.

A column whose own name is the whole path comes first. A number is the place in a list, counted from its end if it is
negative; a name that meets a list stands for that field of every item that has it. JSON as text is read on the way.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_DEEPEST = 4  # names in a path that is listed
_ITEMS = 4  # of a list that are looked into for the paths below it


def value_at(row: Mapping[str, Any], path: str) -> Any:
    """The value that a path leads to; None where it leads nowhere."""
    if path in row:
        return row[path]
    value: Any = row
    for name in path.split("."):
        value = _step(value, name)
    return value


def head(path: str, columns: Iterable[str]) -> str:
    """The column of a table in which a path begins."""
    return path if path in columns else path.partition(".")[0]


def leads_somewhere(rows: Iterable[Mapping[str, Any]], path: str) -> bool:
    """Whether any row has a value at a path, or a column of its name."""
    return any(path in row or value_at(row, path) is not None for row in rows)


def paths_in(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every path to something in the rows, in their order: columns, fields of objects, fields of the items of lists."""
    return list(dict.fromkeys(path for row in rows for path in _below(row, depth=0)))


def _step(value: Any, name: str) -> Any:
    value = _decoded(value)
    if isinstance(value, Mapping):
        return value.get(name)
    if not _is_list(value):
        return None
    if name.removeprefix("-").isdecimal():
        place = int(name)
        return value[place] if -len(value) <= place < len(value) else None
    found = [item[name] for item in map(_decoded, value) if isinstance(item, Mapping) and name in item]
    return found or None


def _decoded(value: Any) -> Any:
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _below(value: Any, *, depth: int) -> Iterator[str]:
    if depth == _DEEPEST:
        return
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from (f"{name}.{path}" for path in _below(inner, depth=depth + 1))
    elif _is_list(value):
        for item in value[:_ITEMS]:
            if isinstance(item, Mapping):
                yield from _below(item, depth=depth)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
