"""Finds answers that a text states as a field of JSON (`{"answer": 5}`) or before their noun ("so 5 is the answer")."""

import json
import re
from collections.abc import Iterator

from filters.answers.claims.claimed_values import ClaimedValue, is_mathematics, tidy_end

_FIELD = re.compile(
    r"""["'](?:final[_ ]?|correct[_ ]?)?answer["']\s*:\s*"""
    r"""(?:"(?P<double>(?:[^"\\\n]|\\.){1,300})"|'(?P<single>[^'\n]{1,300})'"""
    r"""|\[(?P<listed>[^\[\]{}]{1,300})\]|(?P<bare>-?[0-9][0-9.,/]*%?|true|false)(?=\s*[,}\n]|\s*$))"""
)
_ITEM = re.compile(r"""["']?([^"',]+)["']?""")
_VALUE = (
    r"(?:\$[^$\n]{1,80}\$|\\\([^\n]{1,80}?\\\)|\*\*[^*\n]{1,80}\*\*"
    r"|-?\$?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?(?:/[0-9]+)?%?|\([A-J]\)|[A-J])"
)
_BEFORE_NOUN = re.compile(
    rf"(?:^|[\n.,;:!]\s*|\b(?:so|thus|hence|therefore|then|option|choice)\b[,:]?\s*)(?P<value>{_VALUE})\s+is\s+"
    r"(?:clearly |indeed |therefore |thus )?(?:the|our|my) (?:final |correct |right )*(?:answer|option|choice)"
    r"(?=[\s*_)\]\"']*(?:$|[.!,;](?:\W|$)|\n))",
    re.IGNORECASE,
)
_NOT_STATED = re.compile(r"\b(?:if|whether|suppose|assume|unless|not|maybe|perhaps)\b[^.\n]*$", re.IGNORECASE)
_MAX_BEFORE = 60


def fields_of(text: str) -> Iterator[tuple[ClaimedValue, int]]:
    """The values of fields named `answer` in order, each with its place."""
    if "nswer" not in text:
        return
    for field in _FIELD.finditer(text):
        if value := _value_of(field):
            yield ClaimedValue(value, field.end(), is_mathematics(value)), field.start()


def before_noun(text: str) -> Iterator[tuple[ClaimedValue, int]]:
    """The values that stand before "is the answer", each with its place; a condition names none."""
    if not re.search(r"\bis\b", text):
        return
    for stated in _BEFORE_NOUN.finditer(text):
        start = stated.start("value")
        value = tidy_end(stated["value"])
        is_choice = value.isalpha()  # a small letter, as in "a is the answer", is a name
        if _NOT_STATED.search(text, max(0, start - _MAX_BEFORE), start) or (is_choice and value.islower()):
            continue
        yield ClaimedValue(value, stated.end(), is_mathematics(value)), start


def _value_of(field: re.Match[str]) -> str:
    if field["double"] is not None:
        try:
            return tidy_end(str(json.loads(f'"{field["double"]}"')))
        except json.JSONDecodeError:  # LaTeX whose backslashes are not doubled
            return tidy_end(field["double"])
    if field["listed"] is not None:
        return ", ".join(item.strip() for item in _ITEM.findall(field["listed"]) if item.strip())
    return tidy_end(field["single"] or field["bare"])
