"""JSON of others: size, depth, items, texts and numbers are bounded before anything is built of it.

A key that stands twice, NaN, infinity and integers beyond 64 bits are refused: two readers would read two things.
"""

import json
import re
from collections import Counter
from typing import Any

from releases.door.bounds import DIGITS, JSON_DEPTH, JSON_ITEMS, JSON_STRING
from releases.door.refusal import MORE, refused
from releases.errors import RefusedRelease

# A text that does not end reaches to the end, so that nothing is looked at twice.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[{\]},]', re.DOTALL)


class _Refused(ValueError):
    """What is wrong with a value: the field, the bound and the value."""

    def __init__(self, field: str, bound: str, value: object) -> None:
        super().__init__(field, bound, value)
        self.field, self.bound, self.value = field, bound, value


def read_json(content: bytes, *, where: object, most: int) -> Any:
    """The JSON data in `content`; raises RefusedRelease."""
    if len(content) > most:
        raise refused(where, "its size in bytes", f"it is at most {most}", len(content))
    try:
        text = content.decode("utf-8", "strict")
        _require_shape(content)
        return json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_no_constant
        )
    except _Refused as bad:
        raise refused(where, bad.field, bad.bound, bad.value) from bad
    except ValueError as bad:  # no UTF-8, or no JSON
        raise _no_json(where, bad) from bad


def _no_json(where: object, bad: ValueError) -> RefusedRelease:
    return refused(where, "its text", f"it is JSON in UTF-8 ({bad})", "something else")


def _require_shape(content: bytes) -> None:
    depth = items = 0
    for match in _TOKEN.finditer(content):
        token = match[0]
        if token in b"[{":
            depth += 1
            if depth > JSON_DEPTH:
                raise _Refused("its depth", f"lists and objects lie at most {JSON_DEPTH} deep", depth)
        elif token in b"]}":
            depth -= 1
        if len(token) > JSON_STRING:
            raise _Refused("the length of a text in it", f"it is at most {JSON_STRING}", len(token))
        items += len(token) == 1
        if items > JSON_ITEMS:
            raise _Refused("its number of items", f"there are at most {JSON_ITEMS}", MORE)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise _Refused("a key in it", "each stands once in its object", twice)
    return data


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > DIGITS:
        raise _Refused("a number in it", f"an integer has at most {DIGITS} digits", text)
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _Refused("a number in it", "it is finite in 64 bits", text)
    return number


def _no_constant(text: str) -> float:
    raise _Refused("a number in it", "it is finite", text)
