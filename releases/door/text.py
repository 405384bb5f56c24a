"""Texts of others on a terminal or in Markdown: characters that do not print are written as escapes.

Escapes for a terminal, characters that turn the direction of a line and characters without width would show something
else than what is there.
"""

import json
from unicodedata import category

_KEPT = "\n\t"
_SHOWN = 80


def visible(text: str) -> str:
    r"""The text with every character that does not print as JSON escapes it, such as `\u001b`; lines stay lines."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if _prints(character) else _escaped(character) for character in text)


def one_line(text: str) -> str:
    """The text as one line, all white space in it single spaces."""
    return visible(" ".join(text.split()))


def quoted(value: object) -> str:
    """A value in an error message, truncated if it is long; letters that may look like others are escaped, too."""
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def is_one_line(text: str) -> bool:
    """Whether every character of a text prints and none ends a line."""
    return all(_prints(character) and character not in _KEPT for character in text)


def _prints(character: str) -> bool:
    return character in _KEPT or character.isprintable() or category(character) == "Zs"


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else json.dumps(character)[1:-1]
