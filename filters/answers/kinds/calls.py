r"""Computes calls with plain numbers exactly, in place: `\lceil 3.2 \rceil`, `\max(3,5)`, `\binom{5}{2}`, determinants.

What has letters or roots in it is left as it is.
"""

import math
import re
from collections.abc import Callable
from fractions import Fraction

from filters.answers.algebra.rationals import rational
from filters.answers.kinds.containers import split
from filters.answers.kinds.quantities import parse_number

MAX_ROWS = 6
MAX_CHOICES = 300
_ARGUMENTS = r"((?:[^(){}\\]|\\[a-zA-Z]+|\([^()]*\)|\{[^{}]*\})*)"
_MAY_CALL = re.compile(r"\\(?:l?ceil|l?floor|max|min|gcd|lcm|binom|begin|det|operatorname)(?![a-zA-Z])|\||\\choose")
_ROUNDED = re.compile(r"\\l(ceil|floor)(?![a-zA-Z])((?:(?!\\[lr](?:ceil|floor)).)*)\\r\1(?![a-zA-Z])", re.DOTALL)
_CALL = re.compile(rf"\\(max|min|gcd|lcm|ceil|floor)\s*(?:\(|\\?\{{){_ARGUMENTS}(?:\)|\\?\}})")
_BINOMIAL = re.compile(
    r"\\binom\s*\{\s*([0-9]{1,3})\s*\}\s*\{\s*([0-9]{1,3})\s*\}|\{?\s*(?<![0-9a-zA-Z])([0-9]{1,3})\s*\\choose\s*([0-9]{1,3})(?![0-9])\s*\}?"
)
_BARS = re.compile(r"\|([^|]+)\|")
_DETERMINANT = re.compile(
    r"\\begin\s*\{vmatrix\}(.*?)\\end\s*\{vmatrix\}"
    r"|\\det\s*\(?\s*\\begin\s*\{[pb]?matrix\}(.*?)\\end\s*\{[pb]?matrix\}\s*\)?"
    r"|\|\s*\\begin\s*\{array\}\s*\{[^{}]*\}(.*?)\\end\s*\{array\}\s*\|",
    re.DOTALL,
)
_FUNCTIONS: dict[str, Callable[..., Fraction]] = {
    "max": max,
    "min": min,
    "ceil": lambda value: Fraction(math.ceil(value)),
    "floor": lambda value: Fraction(math.floor(value)),
    "gcd": lambda *values: Fraction(math.gcd(*map(_whole, values))),
    "lcm": lambda *values: Fraction(math.lcm(*map(_whole, values))),
}


def computed(text: str) -> str:
    """The text with every call of plain numbers replaced by its exact value."""
    if not _MAY_CALL.search(text):
        return text
    text = _DETERMINANT.sub(_determinant, text)
    for pattern, compute in ((_ROUNDED, _rounded), (_CALL, _called), (_BINOMIAL, _binomial)):
        text = pattern.sub(compute, text)
    if text.count("|") == 2:
        text = _BARS.sub(lambda m: _written(m, abs, m[1]), text)
    return text


def exact_value(text: str) -> Fraction | None:
    """The value of a number or of arithmetic with numbers; None for any other text."""
    value = parse_number(text)
    return rational(text) if value is None else value


def _written(match: re.Match[str], function: Callable[..., Fraction], *arguments: str) -> str:
    """The value of a function as text; the match itself where an argument has no exact value."""
    values = [exact_value(argument) for argument in arguments]
    if None in values or not values:
        return match[0]
    try:
        value = function(*values)
    except (TypeError, ValueError):
        return match[0]
    return str(value) if match[0] == match.string.strip() else f"({value})"


def _rounded(match: re.Match[str]) -> str:
    return _written(match, _FUNCTIONS[match[1]], match[2])


def _called(match: re.Match[str]) -> str:
    return _written(match, _FUNCTIONS[match[1]], *split(match[2], ","))


def _binomial(match: re.Match[str]) -> str:
    above, below = (int(part) for part in match.groups() if part is not None)
    if above > MAX_CHOICES:
        return match[0]
    return _written(match, lambda n, k: Fraction(math.comb(int(n), int(k))), str(above), str(below))


def _determinant(match: re.Match[str]) -> str:
    rows = [split(row, "&") for row in split(match[1] or match[2] or match[3], r"\\") if row.strip()]
    if not 0 < len(rows) <= MAX_ROWS or any(len(row) != len(rows) for row in rows):
        return match[0]
    return _written(match, lambda *values: _expanded(values, len(rows)), *(cell for row in rows for cell in row))


def _expanded(values: tuple[Fraction, ...], size: int) -> Fraction:
    """The determinant of a square matrix, by elimination."""
    rows = [list(values[start : start + size]) for start in range(0, size * size, size)]
    product = Fraction(1)
    for column in range(size):
        pivot = next((row for row in range(column, size) if rows[row][column]), None)
        if pivot is None:
            return Fraction(0)
        if pivot != column:
            rows[column], rows[pivot], product = rows[pivot], rows[column], -product
        product *= rows[column][column]
        for below in range(column + 1, size):
            factor = rows[below][column] / rows[column][column]
            rows[below] = [a - factor * b for a, b in zip(rows[below], rows[column], strict=True)]
    return product


def _whole(value: Fraction) -> int:
    if value.denominator != 1:
        raise ValueError(f"{value} is no whole number")
    return int(value)
