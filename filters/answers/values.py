r"""Evaluates expressions at a few points, which distinguishes different expressions without algebra.

Parses a tidy answer with a small grammar of its own and computes in double precision. Ambiguous text (`1/2x`,
`\sin 2x y`, `f(x)`) is not read. Agreement at every point proves nothing.
"""

import cmath
import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

POINTS = ((1.609, 0.747), (0.523, 1.381), (2.277, 0.913), (1.137, 2.071))
MAX_LENGTH = 300
MAX_DEPTH = 30
_FAR = 1e-6
_NOISE = 1e-9
_TOKEN = re.compile(r"\s*(\\[a-zA-Z]+|[0-9]+(?:\.[0-9]+)?|\.[0-9]+|[a-zA-Z]|[-+*/^!=(){}\[\]])")
_FUNCTIONS: dict[str, Callable[[complex], complex]] = {
    r"\sin": cmath.sin,
    r"\cos": cmath.cos,
    r"\tan": cmath.tan,
    r"\cot": lambda angle: 1 / cmath.tan(angle),
    r"\sec": lambda angle: 1 / cmath.cos(angle),
    r"\csc": lambda angle: 1 / cmath.sin(angle),
    r"\arcsin": cmath.asin,
    r"\arccos": cmath.acos,
    r"\arctan": cmath.atan,
    r"\ln": cmath.log,
    r"\exp": cmath.exp,
}
_PRODUCTS = frozenset({"*", r"\cdot", r"\times"})
_QUOTIENTS = frozenset({"/", r"\div"})
_CLOSING = {"(": ")", "{": "}", "[": "]"}
_FUNCTION_NAMES = frozenset("fghFGH")


def differ(left: str, right: str) -> bool | None:
    """True if two tidy expressions (or equations) certainly differ, False if they agree at every point.

    None if one of them cannot be read or has no value.
    """
    if ("=" in left) != ("=" in right):
        return None
    try:
        pairs = [(_value(left, point), _value(right, point)) for point in range(len(POINTS))]
    except CannotEvaluate:
        return None
    return _ratios_differ(pairs) if "=" in left else any(_are_far_apart(*pair) for pair in pairs)


class CannotEvaluate(Exception):
    """The text is outside the grammar, or ambiguous."""


def _are_far_apart(left: complex, right: complex) -> bool:
    return abs(left - right) > _FAR * max(abs(left), abs(right))


def _ratios_differ(pairs: list[tuple[complex, complex]]) -> bool | None:
    """Two equations differ when their sides' differences have no constant ratio."""
    if any(0 in pair for pair in pairs):
        return None
    ratios = [left / right for left, right in pairs]
    return any(_are_far_apart(ratio, ratios[0]) for ratio in ratios)


@lru_cache(maxsize=4096)
def _value(text: str, point: int) -> complex:
    if len(text) > MAX_LENGTH:
        raise CannotEvaluate
    left, equals, right = text.partition("=")
    try:
        value: complex = Reader(left, point).read()
        if equals:
            value = _difference(value, Reader(right, point).read())
    except (ArithmeticError, ValueError) as undefined:
        raise CannotEvaluate from undefined
    if not cmath.isfinite(value):
        raise CannotEvaluate
    return value


def _difference(left: complex, right: complex) -> complex:
    """`left - right`; raises CannotEvaluate if the result is so small that it is mostly rounding error."""
    value = left - right
    if 0 < abs(value) <= _FAR * max(abs(left), abs(right)):
        raise CannotEvaluate
    return value


class Reader:
    """Parses and evaluates a text in one pass, in double precision; raises CannotEvaluate."""

    def __init__(self, text: str, point: int) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0
        self._point = POINTS[point]

    def read(self) -> Any:
        value = self._sum()
        if self._at != len(self._tokens):
            raise CannotEvaluate
        return value

    @property
    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next
        self._at += 1
        return token

    def _sum(self) -> Any:
        sign = self._sign()
        value = sign * self._product()
        while self._next in ("+", "-"):
            sign = self._sign()
            value = self._subtract(value, -sign * self._product())
        return value

    def _subtract(self, left: Any, right: Any) -> Any:
        return _difference(left, right)

    def _number(self, token: str) -> Any:
        return complex(float(token))

    def _raise_to(self, base: Any, exponent: Any) -> Any:
        return _power(base, exponent)

    def _factorial_of(self, n: Any) -> Any:
        """`n!`."""
        return _factorial(n)

    def _sign(self) -> int:
        if self._next in ("+", "-"):
            return -1 if self._take() == "-" else 1
        return 1

    def _product(self) -> Any:
        value = self._power()
        divided = False
        while True:
            if self._next in _PRODUCTS:
                self._take()
                value *= self._sign() * self._power()
            elif self._next in _QUOTIENTS:
                self._take()
                value /= self._sign() * self._power()
                divided = True
            elif self._starts_factor():
                if divided or self._is_mixed_number():
                    raise CannotEvaluate
                value *= self._power()
            else:
                return value

    def _starts_factor(self) -> bool:
        token = self._next
        if not token or token[0] in "+-*/^!=)}]" or token in _PRODUCTS or token in _QUOTIENTS:
            return False
        if token[0].isdigit() or token[0] == ".":
            raise CannotEvaluate  # a number right after a factor: a product or a typo
        return True

    def _is_mixed_number(self) -> bool:
        return self._next == r"\frac" and self._tokens[self._at - 1][0].isdigit()

    def _power(self) -> Any:
        value = self._base()
        if self._next == "^":
            self._take()
            value = self._raise_to(value, self._exponent())
        if self._next == "!":
            self._take()
            value = self._factorial_of(value)
        if self._next in ("^", "!"):
            raise CannotEvaluate
        return value

    def _exponent(self) -> Any:
        sign = self._sign()
        token = self._next
        if token in ("{", "("):
            return sign * self._base()
        if token.isdigit() and len(token) > 1 and sign == 1:
            raise CannotEvaluate  # `x^10` is x^1 times 0 in LaTeX, but its author meant x^10
        return sign * self._base()

    def _base(self) -> Any:
        token = self._take()
        if not token:
            raise CannotEvaluate
        if token in _CLOSING:
            return self._group(_CLOSING[token])
        if token[0].isdigit() or token[0] == ".":
            return self._number(token)
        if token == r"\frac":
            numerator, denominator = self._braced(), self._braced()
            return numerator / denominator
        if token == r"\sqrt":
            return self._root()
        if token == r"\pi":
            return complex(math.pi)
        if token in _FUNCTIONS:
            return _away_from_poles(_FUNCTIONS[token](self._argument()))
        if len(token) == 1 and token.isalpha():
            return self._letter(token)
        raise CannotEvaluate

    def _group(self, closing: str) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise CannotEvaluate
        value = self._sum()
        if self._take() != closing:
            raise CannotEvaluate
        self._depth -= 1
        return value

    def _braced(self) -> Any:
        if self._take() != "{":
            raise CannotEvaluate
        return self._group("}")

    def _root(self) -> complex:
        degree = 2.0
        if self._next == "[":
            self._take()
            written = self._take()
            if not written.isdigit() or self._take() != "]" or int(written) == 0:
                raise CannotEvaluate
            degree = float(written)
        radicand = self._braced()
        if degree != 2 and (radicand.imag or radicand.real < 0):
            raise CannotEvaluate  # ambiguous: the real root or the principal one
        return cmath.sqrt(radicand) if degree == 2 else _power(radicand, complex(1 / degree))

    def _argument(self) -> Any:
        if self._next in ("(", "{"):
            value = self._base()
        else:
            value = (
                self._base()
                if self._next[:1].isalnum() or self._next in (r"\pi", r"\frac")
                else _raise_cannot_evaluate()
            )
        if self._next and self._next not in ("+", "-", ")", "}", "]", "=", "/"):
            raise CannotEvaluate
        return value

    def _letter(self, token: str) -> complex:
        if token == "e":
            return complex(math.e)
        if token == "i":
            return 1j
        if token in _FUNCTION_NAMES and self._next == "(":
            raise CannotEvaluate
        first, second = self._point
        return complex(first + second * (ord(token) - ord("A")) / 7)


def _away_from_poles(value: complex) -> complex:
    """A function's value; raises CannotEvaluate near a zero or a pole, where rounding decides."""
    if not _NOISE < abs(value) < 1 / _NOISE:
        raise CannotEvaluate
    return value


def _raise_cannot_evaluate() -> complex:
    raise CannotEvaluate


def _tokens(text: str) -> list[str]:
    tokens = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise CannotEvaluate
        tokens.append(match[1])
        at = match.end()
    return tokens


def _power(base: complex, exponent: complex) -> complex:
    if abs(exponent) > 1000:
        raise CannotEvaluate
    if exponent.imag == 0 and exponent.real.is_integer():
        if base == 0 and exponent.real <= 0:
            raise CannotEvaluate
        return base ** int(exponent.real)
    if base.imag or base.real < 0:
        raise CannotEvaluate
    return base**exponent


def _factorial(value: complex) -> complex:
    if value.imag or not value.real.is_integer() or not 0 <= value.real <= 150:
        raise CannotEvaluate
    return complex(math.factorial(int(value.real)))
