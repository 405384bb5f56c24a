"""The YAML at the top of a dataset card: plain data without anchors or tags, bounded before anything is built of it."""

from collections.abc import Iterator
from typing import Any

import yaml

from releases.door.bounds import CARD_BYTES, YAML_BYTES, YAML_DEPTH, YAML_EVENTS
from releases.door.refusal import refused

CARD = "README.md"
_LINE = "---"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_front_matter(content: bytes, *, where: object) -> dict[str, Any]:
    """The data between the first two lines `---`, empty if there is none.

    Raises RefusedRelease, and ValueError or YAMLError if it is no data.
    """
    if len(content) > CARD_BYTES:
        raise refused(where, "its size in bytes", f"it is at most {CARD_BYTES}", len(content))
    text = "\n".join(_between(content.decode("utf-8").splitlines()))
    if len(text) > YAML_BYTES:
        raise refused(where, "the length of its YAML", f"it is at most {YAML_BYTES}", len(text))
    _require_plain(text, where)
    data = yaml.load(text, Loader=_Loader)
    if not isinstance(data, dict | None):
        raise ValueError("it is not a mapping")
    return data or {}


def _between(lines: list[str]) -> list[str]:
    if not lines or lines[0].rstrip() != _LINE:
        return []
    ends = [number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == _LINE]
    return lines[1 : ends[0]] if ends else []


def _require_plain(text: str, where: object) -> None:
    """Refuse what makes much of little, or something else than data."""
    depth = 0
    for number, event in enumerate(_events(text)):
        if number > YAML_EVENTS:
            raise refused(where, "the number of items in its YAML", f"it is at most {YAML_EVENTS}", number)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise refused(where, "an anchor in its YAML", "a card has none", event.anchor)
        if getattr(event, "tag", None):
            raise refused(where, "a tag in its YAML", "a card has none", event.tag)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > YAML_DEPTH:
                raise refused(where, "the depth of its YAML", f"it is at most {YAML_DEPTH}", depth)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _events(text: str) -> Iterator[Any]:
    yield from yaml.parse(text, Loader=_Loader)
