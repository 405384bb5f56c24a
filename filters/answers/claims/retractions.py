"""Says whether a text takes back what it claimed before: "wait, that is wrong", "no, actually", 不对."""

import re

from filters.answers.claims.languages import LANGUAGES

_RETRACTION = re.compile("|".join(f"(?:{language.retractions})" for language in LANGUAGES.values()), re.IGNORECASE)

_EARLIER = re.compile(
    r"\bI(?: had| have)? (?:initially|originally|first|previously|earlier)\b"
    r"|\b(?:initially|originally|at first|previously|earlier),? I\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def takes_back(text: str, start: int, end: int | None = None) -> bool:
    """Whether the part of the text from `start` to `end` takes back what stands before it."""
    part = text[start:end]
    return len(part) > 2 and bool(_RETRACTION.search(part))


def after_last_retraction(text: str, start: int, claimed: str = "") -> int:
    """Where the last retraction after `start` ends; `start` if there is none.

    "I first got 13, but that was a mistake" takes back 13, and not another value that was `claimed`.
    """
    last = start
    for retraction in _RETRACTION.finditer(text[start:]):
        if not _is_of_another(text[start : start + retraction.end()], claimed):
            last = start + retraction.end()
    return last


def _is_of_another(before: str, claimed: str) -> bool:
    """Whether the last sentence of a text tells of an earlier value of its writer that is not the claimed one."""
    sentence = re.split(r"[.!?](?=\s)|\n", before.rstrip(" \n.!?"))[-1]
    earlier = _EARLIER.search(sentence)
    numbers = set(_NUMBER.findall(sentence, earlier.end())) if earlier else set()
    return bool(numbers) and not numbers & set(_NUMBER.findall(claimed))
