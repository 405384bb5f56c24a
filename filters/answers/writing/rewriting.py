r"""Writes functions of plain text as in LaTeX: `abs(x)` as `|x|`, `floor(x)` as `\lfloor x\rfloor`."""

import re

_NAMES = {
    "abs": ("|", "|"),
    "floor": (r"\lfloor ", r"\rfloor "),
    "ceil": (r"\lceil ", r"\rceil "),
    "ceiling": (r"\lceil ", r"\rceil "),
    "cbrt": (r"\sqrt[3]{", "}"),
    "sqrt": (r"\sqrt{", "}"),
}
_CALL = re.compile(r"(?<![a-zA-Z])\\?(abs|floor|ceil|ceiling|cbrt|sqrt)\s*\(")


def functions_called(text: str) -> str:
    """The text with calls of these functions written as in LaTeX; a call whose parenthesis never closes stays."""
    match = _CALL.search(text)
    while match:
        end = _closing(text, match.end())
        if end is None:
            return text
        opening, closing = _NAMES[match[1]]
        text = text[: match.start()] + opening + text[match.end() : end] + closing + text[end + 1 :]
        match = _CALL.search(text, match.start() + 1)
    return text


def _closing(text: str, start: int) -> int | None:
    """Where the parenthesis that was opened before `start` closes."""
    depth = 1
    for place in range(start, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
    return None
