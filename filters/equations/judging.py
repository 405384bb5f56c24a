"""Decides whether two sides of plain numbers are equal, differ for sure, or differ in a way that may be meant."""

from enum import StrEnum
from fractions import Fraction

from filters.equations.formulas import LENIENT, Formula, Number, Operation, Range, Sign, value_of
from filters.equations.sides import Side
from filters.equations.words import MEASURES

_CONVERSIONS = frozenset({2, 3, 4, 7, 8, 12, 14, 16, 24, 30, 31, 36, 52, 60, 128, 365, 366, 1440, 1760, 3600, 5280})
_LEAST_DIGITS = 2
_NOISE = Fraction(1, 10**9)


class Truth(StrEnum):
    """Whether an equation is true, false, or cannot be checked."""

    TRUE = "true"
    FALSE = "false"
    UNCHECKED = "unchecked"


def is_comparable(left: Side, right: Side) -> bool:
    """Whether both sides are whole and the left one is computed, so that the equation is about plain numbers."""
    if left.is_open or right.is_open or left.mixes_units or right.mixes_units:
        return False
    return not left.is_lone or left.follows or not (left.is_named or right.is_lone)


def equal(left: Side, right: Side) -> bool | None:
    """Whether the sides have the same exact value; None if one has none."""
    values = value_of(left.formula), value_of(right.formula)
    return None if None in values else values[0] == values[1]


def is_excused(left: Side, right: Side) -> bool:
    """Whether two sides with different values may still be meant as equal: rounded, converted, read otherwise."""
    return (
        _may_be_rounded(left.formula, right)
        or _may_be_rounded(right.formula, left)
        or any(_meet(left.formula, right.formula, reading) for reading in LENIENT)
        or _may_be_converted(left, right)
        or _is_floating(left, right)
    )


def _is_floating(left: Side, right: Side) -> bool:
    """Whether the sides differ by no more than the noise of floating-point numbers."""
    a, b = exact_value(left), exact_value(right)
    return a is not None and b is not None and abs(a - b) <= _NOISE * max(abs(a), abs(b))


def are_opposite(left: Side, right: Side) -> bool:
    """Whether the sides differ in their sign alone."""
    a, b = exact_value(left), exact_value(right)
    return a is not None and b is not None and a == -b


def divides(formula: Formula) -> bool:
    """Whether a formula holds a quotient."""
    match formula:
        case Operation("/", _, _):
            return True
        case Operation(_, left, right):
            return divides(left) or divides(right)
        case Sign(_, inner):
            return divides(inner)
    return False


def begins_with(formula: Formula, part: Formula) -> bool:
    """Whether the first operand of a formula has the value of `part`, as in `8 * 2` after `5 + 3`."""
    wanted = value_of(part)
    while isinstance(formula, Operation) and type(formula) is not type(part):
        formula = formula.left
    while isinstance(formula, Operation) and value_of(formula) != wanted:
        formula = formula.left
    return value_of(formula) == wanted


def holds_otherwise(left: Side, right: Side) -> bool:
    """Whether the equation holds in another reading of a side: "Day 1 - 3 + 4 = 7", "5 + 5 = 10!"."""
    readings = ((left.otherwise, right.formula), (left.formula, right.otherwise))
    return any(one and other and value_of(one) == value_of(other) for one, other in readings)


def exact_value(side: Side) -> Fraction | None:
    """The exact value of a side."""
    value = value_of(side.formula)
    return None if value is None else value.low


def _meet(left: Formula, right: Formula, reading: object) -> bool:
    a, b = value_of(left, reading), value_of(right, reading)  # type: ignore[arg-type]
    return a is not None and b is not None and a.meets(b)


def _may_be_rounded(formula: Formula, written: Side) -> bool:
    """Whether the number of a lone side may be the value of a formula cut short or rounded."""
    value, step = value_of(formula), _last_place(written.formula)
    result = value_of(written.formula)
    if value is None or step is None or result is None:
        return False
    if value.low.denominator == 1 or (value.low / step).denominator == 1:
        return False  # the value could have been written exactly
    return abs(value.low - result.low) < step


def _last_place(formula: Formula) -> Fraction | None:
    """The unit of the last digit of a lone number that is not a closing zero; None for a formula."""
    match formula:
        case Number():
            kept = _without_closing_zeros(formula)
            return Fraction(10) ** kept
        case Sign("%", inner):
            step = _last_place(inner)
            return None if step is None else step / 100
        case Sign(_, inner):
            return _last_place(inner)
    return None


def _without_closing_zeros(number: Number) -> int:
    """The power of ten of the last digit that says something; a whole number keeps two digits."""
    if number.places:
        return -number.places
    digits = len(str(abs(number.value.numerator)))
    return max(0, min(number.zeros, digits - _LEAST_DIGITS))


def _may_be_converted(left: Side, right: Side) -> bool:
    """Whether the sides are in different units, or one has a unit and they differ by a usual factor between units."""
    if left.units and right.units and not left.units & right.units:
        return True
    if left.is_lone and "%" in right.units - left.units:
        return True  # "48 = 100% + 20%" names what is the whole
    if left.is_fraction and right.is_lone and _is_hundredfold(left, right):
        return True  # "3/4 = 75" leaves out the percent sign
    values: tuple[Range | None, Range | None] = value_of(left.formula), value_of(right.formula)
    a, b = (value.low if value else Fraction(0) for value in values)
    if not MEASURES & (left.units | right.units) or not a or not b:
        return False
    if "degree" in left.units | right.units and ((a - b) / 180).denominator == 1:
        return True
    ratio = max(abs(a / b), abs(b / a))
    return ratio.denominator == 1 and (ratio in _CONVERSIONS or _is_power_of_ten(int(ratio)))


def _is_hundredfold(left: Side, right: Side) -> bool:
    a, b = exact_value(left), exact_value(right)
    return a is not None and b is not None and abs(a) < 1 and a * 100 == b


def _is_power_of_ten(number: int) -> bool:
    return number >= 10 and str(number).strip("0") == "1"
