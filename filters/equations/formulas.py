"""The values that a formula of plain numbers may stand for.

A formula has one exact value. Some readings give it others: a decimal may be rounded, a percent sign may be left
unread, signs may bind in another order. An equation that holds under one of them is not false for sure.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt

_MAX_BITS = 4096
_MAX_EXPONENT = 400
_MAX_FACTORIAL = 30


@dataclass(frozen=True, slots=True)
class Range:
    """All values from `low` to `high`."""

    low: Fraction
    high: Fraction

    def meets(self, other: "Range") -> bool:
        """Whether the two ranges share a value."""
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a formula."""

    decimals_rounded: bool = False
    percent_unread: bool = False
    quotient_last: bool = False  # `a / b * c` as `a / (b * c)`, and `a / b / c` as `a / (b / c)`
    sign_first: bool = False  # `-2^2` as `(-2)^2`
    mixed_as_product: bool = False  # `2 1/2` as `2 * 1/2`
    share_alone: bool = False  # `1/3 of $150` as the share that it names


EXACT = Reading()
LENIENT = tuple(
    reading
    for base in (EXACT, Reading(decimals_rounded=True))
    for reading in (
        base,
        replace(base, percent_unread=True),
        replace(base, quotient_last=True),
        replace(base, sign_first=True),
        replace(base, mixed_as_product=True),
        replace(base, share_alone=True),
    )
)[1:]


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written: its value, and its digits after the point."""

    value: Fraction
    places: int
    zeros: int = 0  # zeros at the end of a whole number

    @property
    def looks_rounded(self) -> bool:
        """Whether the decimals may be cut short; tenths, eighths and twentieths are usually exact."""
        digits = len(str(int(self.value * 10**self.places)))
        is_usual = (self.value * 8).denominator == 1 or ((self.value * 20).denominator == 1 and digits < 3)
        return self.places > 0 and not is_usual


@dataclass(frozen=True, slots=True)
class Sign:
    """A minus sign before a formula, or a percent sign after one: `-` or `%`."""

    symbol: str
    inner: "Formula"


@dataclass(frozen=True, slots=True)
class Operation:
    """Two formulas and a sign between them: `+ - * / ^`, `of`, or `mixed` for `2 1/2`."""

    symbol: str
    left: "Formula"
    right: "Formula"


@dataclass(frozen=True, slots=True)
class Function:
    """A root of a degree, or a factorial (degree 0)."""

    degree: int
    inner: "Formula"


Formula = Number | Sign | Operation | Function


class Undefined(Exception):
    """The formula has no value that can be written as a fraction of reasonable size."""


def value_of(formula: Formula, reading: Reading = EXACT) -> Range | None:
    """The value of a formula under a reading; None where it has none."""
    try:
        return _range(formula, reading)
    except (Undefined, ZeroDivisionError):
        return None


def _range(formula: Formula, reading: Reading) -> Range:
    match formula:
        case Number():
            slack = Fraction(1, 2 * 10**formula.places) if reading.decimals_rounded and formula.looks_rounded else 0
            return Range(formula.value - slack, formula.value + slack)
        case Sign("%", inner):
            value = _range(inner, reading)
            return value if reading.percent_unread else _scaled(value, Fraction(1, 100))
        case Sign(_, inner):
            if reading.sign_first and isinstance(inner, Operation) and inner.symbol == "^":
                return _range(Operation("^", Sign("-", inner.left), inner.right), reading)
            return _scaled(_range(inner, reading), Fraction(-1))
        case Function(degree, inner):
            return _function(degree, _range(inner, reading))
        case Operation():
            return _operation(formula, reading)


def _operation(formula: Operation, reading: Reading) -> Range:
    left, right = formula.left, formula.right
    if reading.quotient_last and formula.symbol in "*/" and isinstance(left, Operation) and left.symbol == "/":
        return _range(Operation("/", left.left, Operation(formula.symbol, left.right, right)), reading)
    symbol = formula.symbol
    if symbol == "of":
        return _range(left, reading) if reading.share_alone else _product(_range(left, reading), _range(right, reading))
    if symbol == "mixed":
        symbol = "*" if reading.mixed_as_product else "+"
    return _SIGNS[symbol](_range(left, reading), _range(right, reading))


def _sum(left: Range, right: Range) -> Range:
    return _bounded(left.low + right.low, left.high + right.high)


def _difference(left: Range, right: Range) -> Range:
    return _bounded(left.low - right.high, left.high - right.low)


def _product(left: Range, right: Range) -> Range:
    ends = [a * b for a in {left.low, left.high} for b in {right.low, right.high}]
    return _bounded(min(ends), max(ends))


def _quotient(left: Range, right: Range) -> Range:
    if right.low <= 0 <= right.high:
        raise Undefined
    return _product(left, Range(1 / right.high, 1 / right.low))


def _power(base: Range, exponent: Range) -> Range:
    power = exponent.low
    if exponent.high != power or power.denominator != 1 or abs(power) > _MAX_EXPONENT:
        raise Undefined
    bits = max(end.numerator.bit_length() + end.denominator.bit_length() for end in (base.low, base.high))
    if bits * abs(power) > _MAX_BITS or (power <= 0 and base.low <= 0 <= base.high):
        raise Undefined
    ends = [base.low ** int(power), base.high ** int(power)]
    return Range(min(ends), max(ends))


def _function(degree: int, value: Range) -> Range:
    number = value.low
    if value.high != number or number < 0:
        raise Undefined
    if degree:
        root = Fraction(_root(number.numerator, degree), _root(number.denominator, degree))
        return Range(root, root)
    if number.denominator != 1 or number > _MAX_FACTORIAL:
        raise Undefined
    product = 1
    for factor in range(2, int(number) + 1):
        product *= factor
    return Range(Fraction(product), Fraction(product))


def _root(number: int, degree: int) -> int:
    root = isqrt(number) if degree == 2 else round(number ** (1 / degree)) if number.bit_length() < 1000 else 0
    if root**degree != number:
        raise Undefined
    return root


def _scaled(value: Range, factor: Fraction) -> Range:
    ends = sorted((value.low * factor, value.high * factor))
    return Range(ends[0], ends[1])


def _bounded(low: Fraction, high: Fraction) -> Range:
    if max(end.numerator.bit_length() + end.denominator.bit_length() for end in (low, high)) > _MAX_BITS:
        raise Undefined
    return Range(low, high)


_SIGNS: dict[str, Callable[[Range, Range], Range]] = {
    "+": _sum,
    "-": _difference,
    "*": _product,
    "/": _quotient,
    "^": _power,
}
