r"""Evaluates arithmetic exactly: sums, products, quotients and small powers of integers and decimals.

Uses the grammar of `filters.answers.values` and computes in fractions instead of floating point. Expressions with
roots, letters or functions have no exact value here.
"""

from fractions import Fraction
from functools import lru_cache
from typing import Any

from filters.answers.values import MAX_LENGTH, CannotEvaluate, Reader

_MAX_BITS = 4096
_MAX_EXPONENT = 1000


@lru_cache(maxsize=4096)
def rational(text: str) -> Fraction | None:
    """The value of an arithmetic expression; None if the text is not one, or its value is huge."""
    if len(text) > MAX_LENGTH:
        return None
    try:
        value = _ExactReader(text, 0).read()
    except (CannotEvaluate, ArithmeticError, ValueError):
        return None
    return value if isinstance(value, Fraction) else None


class _ExactReader(Reader):
    """The same grammar, computed in fractions."""

    def _subtract(self, left: Any, right: Any) -> Any:
        return _bounded(left - right)

    def _number(self, token: str) -> Any:
        return Fraction(token)

    def _raise_to(self, base: Any, exponent: Any) -> Any:
        whole = isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1
        if not whole or abs(exponent) > _MAX_EXPONENT or (base == 0 and exponent <= 0):
            raise CannotEvaluate
        size = max(base.numerator.bit_length(), base.denominator.bit_length())
        if size * abs(exponent) > _MAX_BITS:
            raise CannotEvaluate
        return base ** int(exponent)

    def _factorial_of(self, n: Any) -> Any:
        raise CannotEvaluate


def _bounded(value: Any) -> Any:
    if isinstance(value, Fraction) and max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS:
        raise CannotEvaluate
    return value
