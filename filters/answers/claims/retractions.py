"""Says whether a text takes back what it claimed before: "wait, that is wrong", "no, actually", 不对."""

import re

from filters.answers.claims.languages import LANGUAGES

_RETRACTION = re.compile("|".join(f"(?:{language.retractions})" for language in LANGUAGES.values()), re.IGNORECASE)


def takes_back(text: str, start: int, end: int | None = None) -> bool:
    """Whether the part of the text from `start` to `end` takes back what stands before it."""
    part = text[start:end]
    return len(part) > 2 and bool(_RETRACTION.search(part))


def after_last_retraction(text: str, start: int) -> int:
    """Where the last retraction after `start` ends; `start` if there is none."""
    last = start
    for retraction in _RETRACTION.finditer(text[start:]):
        last = start + retraction.end()
    return last
