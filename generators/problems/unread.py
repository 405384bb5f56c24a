"""Why a value of a row could not be read: a reason, and what was found in its place."""

from collections.abc import Mapping, Sequence
from typing import Any

_SHOWN = 60  # characters of a value in a sentence

NOT_TEXT = "not_text"
MISSING_PROMPT = "missing_prompt"
MISSING_ANSWER = "missing_answer"
NO_FINAL_ANSWER = "no_final_answer"
NOT_AN_ANSWER = "not_an_answer"
NEEDS_A_SANDBOX = "needs_a_sandbox"
NOT_A_CHOICE = "answer_not_a_choice"
NEEDS_A_TOLERANCE = "needs_a_tolerance"


class Unread(Exception):
    """A value cannot be read: `reason` is a fact in snake_case, the rest are words and a column for a sentence."""

    def __init__(self, reason: str, found: str, readable: str, column: str = "") -> None:
        super().__init__(reason, found, readable, column)
        self.reason, self.found, self.readable, self.column = reason, found, readable, column

    def __str__(self) -> str:
        return f"column {self.column} holds {self.found}; {self.readable}"


def described(value: Any) -> str:
    """A value in words: its kind and its beginning."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, str):
        return f"the text {shown(value)}" if value.strip() else "blank text"
    if isinstance(value, bool | int | float):
        return f"the {type(value).__name__} {value}"
    if isinstance(value, Mapping):
        return f"an object with the fields {', '.join(map(str, value)) or 'none'}"
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return f"a list of {len(value)}, {shown(str(list(value)))}" if value else "an empty list"
    return f"a value of type {type(value).__name__}"


def shown(text: str) -> str:
    """The beginning of a text, quoted."""
    whole = text.strip()
    return repr(whole if len(whole) <= _SHOWN else f"{whole[:_SHOWN]}…")
