r"""Repetition that belongs to a text: decimals, drawn rules, and short lists, sums and table rows.

`0.142857142857` is a number, a line of dashes closes a section, and `1 + 1 + 1 + 1` is a sum. Each is shortened before
loops are looked for; what goes on longer than a person would write stays as it is.
"""

import re

_MOST_DIGITS = 90
_MOST_DRAWN = 90
_MOST_DRAWN_IN_TABLE = 240
_MOST_ENTRIES = 40
_MOST_VALUES = 4  # a list of more values repeats a passage
_LEFT = 3

_DIGITS = re.compile(r"(?<![\d.,])\d+(?:,\d{3})*(?:\.\d+(?: \d{3,6})*)?")
_DRAWN = re.compile(r"[-=_*~#.+|:·•─━═┼—–…][-=_*~#.+|:·•─━═┼—–…\s]{7,}")
_ENTRY = (
    r"(?:\\[dt]?frac\{[^{}\n]{1,4}\}\{[^{}\n]{1,4}\}|\\sqrt\{[^{}\n]{1,4}\}|\([^()\n]{1,8}\)"
    r"|\d{1,6}(?:\.\d{1,6})?|[^\W_]{1,4})"
)
_BETWEEN = r"(?:\s{0,2}(?:[-+*/,;&|=<>×·•→←]|\\\\|\\times|\\cdot|\\to|\\quad)){1,3}\s{0,2}|(?<=\))(?=\()"
_LIST = re.compile(rf"(?<![^\W_]){_ENTRY}(?:(?:{_BETWEEN}){_ENTRY}){{7,}}(?![^\W_])")
_CUT = re.compile(_BETWEEN)


def shortened(text: str) -> str:
    """The text with numbers, rules and lists cut after a few characters, where they are of a usual length."""
    numbers = _DIGITS.sub(_short_number, text)
    return _LIST.sub(_short_list, _DRAWN.sub(_short_rule, numbers))


def _short_number(found: re.Match[str]) -> str:
    number = found[0]
    digits = number.replace(",", "").replace(".", "").replace(" ", "")
    if len(digits) > _MOST_DIGITS or ("." not in number and not digits.strip("0")):
        return number
    whole, point, decimals = number.partition(".")
    return whole[: 2 * _LEFT] + point + decimals[: 2 * _LEFT]


def _short_rule(found: re.Match[str]) -> str:
    rule = found[0]
    most = _MOST_DRAWN_IN_TABLE if "|" in rule and "-" in rule else _MOST_DRAWN
    return rule[:_LEFT] + "\n" if len(rule) <= most else rule


def _short_list(found: re.Match[str]) -> str:
    entries = _CUT.split(found[0])
    is_usual = len(entries) <= _MOST_ENTRIES and len(set(entries)) <= _MOST_VALUES
    return " ".join(entries[:_LEFT]) if is_usual else found[0]
