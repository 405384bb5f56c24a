r"""What plain arithmetic comes to, exactly: sums, products, quotients and small powers of integers and decimals.

Reads what `filters.answers.values` reads, and computes in fractions instead of floating point; roots, letters and
functions have no such value. Knows no verdicts.
"""

from fractions import Fraction
from functools import lru_cache
from typing import Any

from filters.answers.values import MAX_LENGTH, Reader, Unread

_MOST_BITS = 4096
_MOST_EXPONENT = 1000


@lru_cache(maxsize=4096)
def rational(text: str) -> Fraction | None:
    """The value of an arithmetic expression; None where the text is no such thing, or its value is huge."""
    if len(text) > MAX_LENGTH:
        return None
    try:
        value = _ExactReader(text, 0).read()
    except (Unread, ArithmeticError, ValueError):
        return None
    return value if isinstance(value, Fraction) else None


class _ExactReader(Reader):
    """The same grammar over fractions."""

    def _minus(self, one: Any, other: Any) -> Any:
        return _bounded(one - other)

    def _number(self, token: str) -> Any:
        return Fraction(token)

    def _raised(self, base: Any, exponent: Any) -> Any:
        whole = isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1
        if not whole or abs(exponent) > _MOST_EXPONENT or (base == 0 and exponent <= 0):
            raise Unread
        size = max(base.numerator.bit_length(), base.denominator.bit_length())
        if size * abs(exponent) > _MOST_BITS:
            raise Unread
        return base ** int(exponent)

    def _product_of(self, n: Any) -> Any:
        raise Unread


def _bounded(value: Any) -> Any:
    if isinstance(value, Fraction) and max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS:
        raise Unread
    return value
