r"""Evaluates arithmetic exactly: sums, products, powers, factorials and whole parts of integers and decimals.

Expressions with roots, letters or functions have no exact value here, except for roots of perfect powers.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache

from filters.answers.algebra.expressions import Expression, parse
from filters.answers.algebra.tokens import CannotEvaluate

_MAX_BITS = 4096
_MAX_EXPONENT = 1000
_MAX_FACTORIAL = 500

Values = Sequence[Fraction]


@lru_cache(maxsize=4096)
def rational(text: str) -> Fraction | None:
    """The value of an arithmetic expression; None if the text is not one, or its value is huge."""
    try:
        return rational_value(parse(text))
    except (CannotEvaluate, ArithmeticError, ValueError):
        return None


def rational_value(tree: Expression) -> Fraction:
    """The exact value of a tree; raises CannotEvaluate or ArithmeticError if it has none here."""
    if tree.head == "number":
        return _bounded(Fraction(tree.value))
    operation = _OPERATIONS.get(tree.head)
    if operation is None:
        raise CannotEvaluate
    return _bounded(operation([rational_value(operand) for operand in tree.operands]))


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS:
        raise CannotEvaluate
    return value


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        return _power(_root(Fraction(exponent.denominator), base), Fraction(exponent.numerator))
    if abs(exponent) > _MAX_EXPONENT or (base == 0 and exponent <= 0):
        raise CannotEvaluate
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if size * abs(exponent) > _MAX_BITS:
        raise CannotEvaluate
    return base ** int(exponent)


def _root(degree: Fraction, radicand: Fraction) -> Fraction:
    n = int(degree)
    if degree.denominator != 1 or not 2 <= n <= _MAX_EXPONENT or radicand < 0:
        raise CannotEvaluate
    above, below = (_whole_root(part, n) for part in radicand.as_integer_ratio())
    return Fraction(above, below)


def _whole_root(value: int, n: int) -> int:
    """The whole n-th root of a perfect power."""
    low, high = 0, 1 << (value.bit_length() // n + 1)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if middle**n < value else (low, middle)
    if low**n != value:
        raise CannotEvaluate
    return low


def _factorial(value: Fraction) -> Fraction:
    if value.denominator != 1 or not 0 <= value <= _MAX_FACTORIAL:
        raise CannotEvaluate
    return Fraction(math.factorial(int(value)))


def _choices(n: Fraction, k: Fraction) -> Fraction:
    if n.denominator != 1 or k.denominator != 1 or not 0 <= k <= n or min(k, n - k) > _MAX_FACTORIAL:
        raise CannotEvaluate
    if min(k, n - k) * n.numerator.bit_length() > 4 * _MAX_BITS:
        raise CannotEvaluate
    return Fraction(math.comb(int(n), int(k)))


def _whole(values: Values) -> list[int]:
    if any(value.denominator != 1 for value in values):
        raise CannotEvaluate
    return [int(value) for value in values]


_OPERATIONS: dict[str, Callable[[Values], Fraction]] = {
    "+": lambda values: _sum(values),
    "*": lambda values: values[0] * values[1],
    "/": lambda values: values[0] / values[1],
    "^": lambda values: _power(*values),
    "root": lambda values: _root(*values),
    "!": lambda values: _factorial(values[0]),
    "|": lambda values: abs(values[0]),
    r"\lfloor": lambda values: Fraction(math.floor(values[0])),
    r"\lceil": lambda values: Fraction(math.ceil(values[0])),
    r"\binom": lambda values: _choices(*values),
    r"\max": max,
    r"\min": min,
    r"\gcd": lambda values: Fraction(math.gcd(*_whole(values))),
    r"\lcm": lambda values: Fraction(math.lcm(*_whole(values))),
}


def _sum(values: Values) -> Fraction:
    total = Fraction(0)
    for value in values:
        total = _bounded(total + value)
    return total
