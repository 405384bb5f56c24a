r"""Decimal numerals with the separators of several countries, and repeating decimals.

`1,200`, `1 200`, `1'200`, `12 345,67`, `1.234.567`, `1.234,5`; `0.\overline{3}`, `0.(3)`, `0.333\ldots`. A lone comma
before other than three digits is no separator here: `1,5` may be a list.
"""

import re
from fractions import Fraction

_GROUPS = r"[1-9][0-9]{0,2}"
UNSIGNED = (
    rf"(?:{_GROUPS}(?:,[0-9]{{3}})+(?:\.[0-9]*)?(?![0-9])"
    rf"|{_GROUPS}(?: [0-9]{{3}})+(?:\.[0-9]+|,(?:[0-9]{{1,2}}|[0-9]{{4,}}))?(?![0-9])"
    rf"|{_GROUPS}(?:'[0-9]{{3}})+(?:[.,][0-9]+)?(?![0-9])"
    rf"|{_GROUPS}(?:\.[0-9]{{3}}){{2,}}(?:,[0-9]+)?(?![0-9])"
    rf"|{_GROUPS}\.[0-9]{{3}},[0-9]{{1,2}}(?![0-9])"
    r"|[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
)
_COMMA_DECIMAL = re.compile(r"[0-9. ']+,[0-9]+")
_GROUPED_BY_COMMA = re.compile(rf"{_GROUPS}(?:,[0-9]{{3}})+(?:\.[0-9]*)?")
REPEATING = re.compile(r"\\overline|\\bar|\\dot(?![a-zA-Z])|\\ldots|\.[0-9]*\([0-9]+\)")
_MARKED = re.compile(
    r"([+-]?)\s*([0-9]*)\.([0-9]*)"
    r"(?:\\(?:overline|bar)\s*\{\s*([0-9]+)\s*\}|\\(?:overline|bar)\s*([0-9])|\(([0-9]+)\)"
    r"|\\dot\s*\{?\s*([0-9])\s*\}?(?:([0-9]*)\\dot\s*\{?\s*([0-9])\s*\}?)?)(?:\s*\\ldots)?"
)
_WRITTEN_OUT = re.compile(r"([+-]?)\s*([0-9]*)\.([0-9]+)\s*\\ldots")
MAX_DIGITS = 60
_LAKHS = re.compile(r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}")


def decimal(text: str) -> Fraction:
    """The value of a decimal numeral, with or without a sign."""
    text = re.sub(r"\s(?![0-9])|^\s+|(?<=[+-])\s+", "", text)
    unsigned = text.lstrip("+-")
    if _GROUPED_BY_COMMA.fullmatch(unsigned):
        text = text.replace(",", "")
    elif _COMMA_DECIMAL.fullmatch(unsigned):
        text = text.replace(".", "").replace(",", ".")
    elif text.count(".") > 1:
        text = text.replace(".", "")
    return Fraction(re.sub(r"[\s']", "", text))


def in_lakhs(text: str) -> int | None:
    """The number that `1,23,456` is in India; elsewhere it is a list."""
    return int(text.replace(",", "")) if _LAKHS.fullmatch(text) else None


def comma_decimal(text: str) -> Fraction | None:
    """The value of `1,5` or `0,125` where the comma stands for a decimal point; None for any other text."""
    return Fraction(text.replace(",", ".")) if re.fullmatch(r"[+-]?[0-9]{1,30},[0-9]{1,30}", text) else None


def repeating(text: str) -> Fraction | None:
    """The value of a repeating decimal, marked or written out until its period is plain; None for any other text."""
    if marked := _MARKED.fullmatch(text):
        sign, whole, fixed, *period = marked.groups()
        return _sum(sign, whole, fixed, "".join(part or "" for part in period))
    written = _WRITTEN_OUT.fullmatch(text)
    split = _period(written[3]) if written else None
    return _sum(written[1], written[2], *split) if written and split else None


def _sum(sign: str, whole: str, fixed: str, period: str) -> Fraction | None:
    if len(whole) + len(fixed) + len(period) > MAX_DIGITS:
        return None
    value = Fraction(int(whole or "0"))
    nines = 10 ** len(period) - 1
    value += Fraction(int(fixed or "0") * nines + int(period), nines * 10 ** len(fixed))
    return -value if sign == "-" else value


def _period(digits: str) -> tuple[str, str] | None:
    """The digits before the period and the period: it comes three times, or twice with nothing before it."""
    for length in range(1, len(digits) // 2 + 1):
        period, times = digits[-length:], 0
        while digits.endswith(period * (times + 1)):
            times += 1
        fixed = digits[: len(digits) - length * times]
        if times >= (2 if length > 1 and not fixed else 3):
            return fixed, period
    return None
