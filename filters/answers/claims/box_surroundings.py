r"""Reads what stands around a box: its sign, its factor, the fraction it is part of, a percent sign or a word of scale.

Looks at a bounded number of characters before and after the box, however long the text is.
"""

import re

MAX_AROUND = 80

_SPACE = r"(?:\s|\\[ ,;:!]|~)*"
_SIGN = r"(?:[-−+±]|\\[pm][mp](?![a-zA-Z]))"
_FACTOR = (
    r"(?:[0-9]++(?:\.[0-9]++)?|\\[dt]?frac\s*(?:\{[^{}]{1,20}\}\s*\{[^{}]{1,20}\}|[0-9][0-9])"
    r"|\\sqrt\s*(?:\{[^{}]{1,20}\}|[0-9])|\\pi(?![a-zA-Z]))"
)
_TERM = rf"(?P<sign>{_SIGN})?(?P<gap>{_SPACE})(?P<factor>(?:{_FACTOR}\s*)*)"
_BEFORE = re.compile(rf"{_TERM}(?P<opening>\$|\\\()?(?P<brace>\{{?)$")
_NOTHING_BEFORE = re.compile(r"(?:(?<![\\a-z])[a-zA-Z]{2,} |[=.,:\n] ?)(?:\$\$?|\\[(\[] ?)?$")
_FRACTION = re.compile(rf"{_TERM}(?P<command>\\[dt]?frac\s*(?:\{{[^{{}}]{{1,40}}\}}\s*)?|\\sqrt\s*)\{{\s*$")
_FRACTION_END = re.compile(r"\s*\}(\s*\{[^{}]{1,40}\})?")
# A formula or its right side begins after one of these.
_BEGINS = re.compile(
    r"\$$|(?:[=<>≈→⇒&,;:(\[{]|\\(?:approx|equiv|to|le|ge|leq|geq|implies|in|[Rr]ightarrow|q?quad)|\\[\\(\[])\s*$"
)
_WORD_BEFORE = re.compile(r"(?:^|\n|[^\W\d_]{2,}[:,]?\s+)$")
_AFTER = re.compile(
    r"(?:\s|\$|\\\)|\}|\\[ ,;:!]|~|\\(?:text|mathrm|mbox)\s*\{)*"
    r"(?:(?P<percent>\\?%|％|(?:percent(?:age)?|pct)\b)"
    r"|(?P<scale>(?:hundred|thousand|million|billion|trillion|dozen)(?![a-zA-Z])))"
    r"|\s*(?P<times>\\pi(?![a-zA-Z])|\\sqrt\s*(?:\{[^{}]{1,20}\}|[0-9]))",
    re.IGNORECASE,
)
_WORDS = re.compile(r"(?<![\\a-zA-Z])[^\W\d_]{2,}|[A-Z]|[,=<>]")
_SUM = re.compile(r"[-+−±]|\\[pm][mp](?![a-zA-Z])")


def with_surroundings(text: str, start: int, end: int, content: str) -> str:
    """The value of the box at `start` to `end`, with what belongs to it outside."""
    before, after = text[max(0, start - MAX_AROUND) : start], text[end : end + MAX_AROUND]
    if _WORDS.search(content.removeprefix(r"\frac")):
        return content
    if fraction := _in_fraction(before, after, content):
        return fraction
    return _continued(_headed(before, after, content), after)


def _in_fraction(before: str, after: str, content: str) -> str | None:
    head = _FRACTION.search(before) if before.rstrip()[-1:] == "{" else None
    tail = _FRACTION_END.match(after)
    if not head or not tail or not _starts(before[: head.start()]):
        return None
    wants_second = "frac" in head["command"] and "{" not in head["command"]
    if wants_second != bool(tail[1]):
        return None
    return f"{head['sign'] or ''}{head['factor']}{head['command']}{{{content}}}{tail[1] or ''}"


def _starts(rest: str) -> bool:
    return bool(_BEGINS.search(rest) or _WORD_BEFORE.search(rest))


def _headed(before: str, after: str, content: str) -> str:
    """The content with the sign and the factor right before the box."""
    if _NOTHING_BEFORE.search(before):
        return content
    head = _BEFORE.search(before)
    if head is None or not (head["sign"] or head["factor"]):
        return content
    rest = before[: head.start()]
    in_formula = bool(_BEGINS.search(rest))
    sticks = not head["gap"] and not head["factor"].endswith((" ", "\n")) and bool(_WORD_BEFORE.search(rest))
    if not (in_formula or sticks):
        return content
    sign, factor = head["sign"] or "", head["factor"].strip()
    if factor and (head["opening"] or re.match(r"\s*=", after)):
        return content
    sign = "" if sign == "+" else sign
    is_sum = bool(_SUM.search(content))
    if factor:
        times = rf" \cdot {content}" if content[0].isdigit() else content
        return f"{sign}{factor}({content})" if is_sum else f"{sign}{factor}{times}"
    return f"{sign}({content})" if sign and is_sum else f"{sign}{content}"


def _continued(value: str, after: str) -> str:
    tail = _AFTER.match(after)
    if tail is None or "%" in value:
        return value
    if tail["percent"]:
        return value + r"\%"
    return f"{value} {tail['scale']}" if tail["scale"] else f"{value}{tail['times']}"
