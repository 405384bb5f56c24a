"""Computes trees in double precision at one point; raises CannotEvaluate where rounding would decide."""

import cmath
import math
import zlib
from collections.abc import Callable, Sequence

from filters.answers.algebra.expressions import Expression
from filters.answers.algebra.tokens import CannotEvaluate

ALL_NEGATIVE = -1
_CANCELLED = 1e-6
_NOISE = 1e-9
_LARGEST_ANGLE = 1e6

Values = Sequence[complex]


def value_of(tree: Expression) -> complex:
    """The value of a tree without variables, in double precision; raises CannotEvaluate."""
    return Evaluation((0.0, 0.0)).value(tree)


class Evaluation:
    """The values of trees at one point, in double precision; raises CannotEvaluate where rounding would decide."""

    def __init__(
        self,
        point: tuple[float, float],
        *,
        base: float = math.e,
        sign: int | None = None,
        is_real: bool = False,
        replaced: dict[str, float] | None = None,
    ) -> None:
        self._point = point
        self._base = base
        self._sign = sign
        self._is_real = is_real
        self._replaced = replaced or {}

    def pair(self, left: Expression, right: Expression) -> tuple[complex, complex]:
        """The values of two trees."""
        return self.value(left), self.value(right)

    def value(self, tree: Expression) -> complex:
        """The value of a tree."""
        try:
            value = self._computed(tree)
        except (ArithmeticError, ValueError) as undefined:
            raise CannotEvaluate from undefined
        if not cmath.isfinite(value) or (self._is_real and value.imag):
            raise CannotEvaluate
        return value

    def _computed(self, tree: Expression) -> complex:
        if tree.head == "number":
            return complex(float(tree.value))
        if tree.head == "letter":
            return complex(self._letter(str(tree.value)))
        if tree.head in _CONSTANTS:
            return _CONSTANTS[tree.head]
        values = [self.value(operand) for operand in tree.operands]
        if tree.head == r"\log":
            return _away_from_poles(_logarithm(values[0]) / math.log(self._base))
        return _OPERATIONS[tree.head](values)

    def _letter(self, name: str) -> float:
        if name in self._replaced:
            return self._replaced[name]
        first, second = self._point
        code = ord(name) if len(name) == 1 else zlib.crc32(name.encode()) % 1009
        size = first + second * (code - ord("A") if len(name) == 1 else code) / 7
        is_negative = self._sign is not None and (self._sign == ALL_NEGATIVE or code >> self._sign & 1)
        return -size if is_negative else size


def _sum(values: Values) -> complex:
    """A sum; raises CannotEvaluate if so much cancels that the result is mostly rounding error."""
    total = sum(values)
    if 0 < abs(total) <= _CANCELLED * max(map(abs, values)):
        raise CannotEvaluate
    return complex(total)


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


def _nth_root(degree: complex, radicand: complex) -> complex:
    n = int(degree.real)
    if n == 2:
        return cmath.sqrt(radicand)
    if radicand.imag or (radicand.real < 0 and n % 2 == 0):
        raise CannotEvaluate
    return complex(math.copysign(abs(radicand.real) ** (1 / n), radicand.real))


def _factorial(value: complex) -> complex:
    if value.imag or not value.real.is_integer() or not 0 <= value.real <= 150:
        raise CannotEvaluate
    return complex(math.factorial(int(value.real)))


def _choices(n: complex, k: complex) -> complex:
    if k.imag or not k.real.is_integer() or not 0 <= k.real <= 100:
        raise CannotEvaluate
    product = complex(1)
    for index in range(int(k.real)):
        product *= (n - index) / (index + 1)
    return product


def _logarithm(value: complex) -> complex:
    if abs(value - 1) < _NOISE and value != 1:
        raise CannotEvaluate
    return cmath.log(value)


def _rounded(value: complex, rounding: Callable[[float], int]) -> complex:
    nearest = round(value.real)
    if value.imag or (abs(value.real - nearest) < _NOISE * max(1, abs(value.real)) and value.real != nearest):
        raise CannotEvaluate
    return complex(rounding(value.real))


def _whole(values: Values) -> list[int]:
    if any(value.imag or not value.real.is_integer() or abs(value) > 2**53 for value in values):
        raise CannotEvaluate
    return [int(value.real) for value in values]


def _real(values: Values) -> list[float]:
    if any(value.imag for value in values):
        raise CannotEvaluate
    return [value.real for value in values]


def _away_from_poles(value: complex) -> complex:
    """A function's value; raises CannotEvaluate near a zero or a pole, where rounding decides."""
    if value != 0 and not _NOISE < abs(value) < 1 / _NOISE:
        raise CannotEvaluate
    return value


def _of_angle(function: Callable[[complex], complex]) -> Callable[[Values], complex]:
    def computed(values: Values) -> complex:
        if abs(values[0]) > _LARGEST_ANGLE:
            raise CannotEvaluate
        value = function(values[0])
        if not _NOISE < abs(value) < 1 / _NOISE:
            raise CannotEvaluate
        return value

    return computed


def _of(function: Callable[[complex], complex]) -> Callable[[Values], complex]:
    return lambda values: _away_from_poles(function(values[0]))


_CONSTANTS = {"pi": complex(math.pi), "e": complex(math.e), "i": 1j}
_OPERATIONS: dict[str, Callable[[Values], complex]] = {
    "+": _sum,
    "-": lambda values: _sum((values[0], -values[1])),
    "*": lambda values: values[0] * values[1],
    "/": lambda values: values[0] / values[1],
    "^": lambda values: _power(*values),
    "root": lambda values: _nth_root(*values),
    "!": lambda values: _factorial(values[0]),
    "|": lambda values: complex(abs(values[0])),
    r"\lfloor": lambda values: _rounded(values[0], math.floor),
    r"\lceil": lambda values: _rounded(values[0], math.ceil),
    r"\binom": lambda values: _choices(*values),
    r"\max": lambda values: complex(max(_real(values))),
    r"\min": lambda values: complex(min(_real(values))),
    r"\gcd": lambda values: complex(math.gcd(*_whole(values))),
    r"\lcm": lambda values: complex(math.lcm(*_whole(values))),
    r"\sin": _of_angle(cmath.sin),
    r"\cos": _of_angle(cmath.cos),
    r"\tan": _of_angle(cmath.tan),
    r"\cot": _of_angle(lambda angle: 1 / cmath.tan(angle)),
    r"\sec": _of_angle(lambda angle: 1 / cmath.cos(angle)),
    r"\csc": _of_angle(lambda angle: 1 / cmath.sin(angle)),
    r"\arcsin": _of(cmath.asin),
    r"\arccos": _of(cmath.acos),
    r"\arctan": _of(cmath.atan),
    r"\arccot": _of(lambda value: math.pi / 2 - cmath.atan(value)),
    r"\sinh": _of(cmath.sinh),
    r"\cosh": _of(cmath.cosh),
    r"\tanh": _of(cmath.tanh),
    r"\exp": _of(cmath.exp),
    r"\ln": lambda values: _away_from_poles(_logarithm(values[0])),
    r"\lg": lambda values: _away_from_poles(_logarithm(values[0]) / math.log(10)),
    r"\log_": lambda values: _away_from_poles(_logarithm(values[1]) / _logarithm(values[0])),
}
