"""Encloses numbers in intervals of any precision: the true value lies inside, whatever was rounded on the way.

A number is a pair of intervals, its real and its imaginary part. Works on forms; see `forms`.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from mpmath import libmp
from mpmath.libmp import libmpi as intervals

from filters.answers.algebra.expressions import Expression
from filters.answers.algebra.tokens import CannotEvaluate

Interval = Any  # a pair of libmp's floating-point numbers
Enclosure = tuple[Interval, Interval]

_MAX_EXPONENT_BITS = 24
_ZERO: Interval = intervals.mpi_zero
_ONE: Interval = intervals.mpi_one


def enclose(form: Expression, atoms: Sequence[Enclosure], bits: int) -> Enclosure:
    """An enclosure of a form, given those of its atoms; raises CannotEvaluate if a divisor may be zero."""
    if form.head == "number":
        return _of_fraction(Fraction(form.value), bits)
    if form.head == "atom":
        return atoms[int(form.value)]
    if form.head == "i":
        return _ZERO, _ONE
    if form.head == "cos":
        angle = intervals.mpi_mul(intervals.mpi_pi(bits), _of_fraction(Fraction(form.value), bits)[0], bits)
        return intervals.mpi_cos(angle, bits), _ZERO
    if form.head == "^":
        base = enclose(form.operands[0], atoms, bits)
        return _whole_power(base, int(Fraction(form.operands[1].value)), bits)
    if form.head == "root":
        degree = int(Fraction(form.operands[0].value))
        return _root(_real(enclose(form.operands[1], atoms, bits)), degree, bits), _ZERO
    values = [enclose(operand, atoms, bits) for operand in form.operands]
    total = values[0]
    for value in values[1:]:
        total = _ARITHMETIC[form.head](total, value, bits)
    return total


def enclose_atoms(atoms: Sequence[Expression], bits: int) -> list[Enclosure]:
    """Enclosures of atoms that are numbers, such as pi or a logarithm; raises CannotEvaluate for any other."""
    enclosures: list[Enclosure] = []
    for atom in atoms:
        if atom.head == "exp":
            exponent = enclose(atom.operands[0], enclosures, bits)
            enclosures.append(intervals.mpci_exp((_bounded(exponent[0]), _bounded(exponent[1])), bits))
            continue
        function = _FUNCTIONS.get(atom.head)
        if function is None:
            raise CannotEvaluate
        operands = [_real(enclose(operand, enclosures, bits)) for operand in atom.operands]
        try:
            enclosures.append((function(operands, bits), _ZERO))
        except (ValueError, ArithmeticError) as undefined:
            raise CannotEvaluate from undefined
    return enclosures


def excludes_zero(enclosure: Enclosure) -> bool:
    """Whether the number is certainly not zero."""
    return any(not _contains_zero(part) for part in enclosure)


def is_within(enclosure: Enclosure, exponent: int) -> bool:
    """Whether real and imaginary part certainly lie between -2^exponent and 2^exponent."""
    bound = libmp.from_man_exp(1, exponent)
    return all(libmp.mpf_lt(part[1], bound) and libmp.mpf_gt(part[0], libmp.mpf_neg(bound)) for part in enclosure)


def is_positive(enclosure: Enclosure) -> bool:
    """Whether the number is certainly real and above zero."""
    return bool(enclosure[1] == _ZERO and libmp.mpf_gt(enclosure[0][0], libmp.fzero))


def is_real(enclosure: Enclosure) -> bool:
    """Whether no imaginary number took part."""
    return bool(enclosure[1] == _ZERO)


def whole_part(enclosure: Enclosure) -> int:
    """The largest whole number below a number that is certainly not whole; raises CannotEvaluate."""
    ends = _real(enclosure)
    low, high = (libmp.to_int(end, libmp.round_floor) for end in ends)
    if low != high or libmp.mpf_eq(ends[0], libmp.from_int(low)):
        raise CannotEvaluate
    return int(low)


def _contains_zero(interval: Interval) -> bool:
    low, high = interval
    # An end that is not a number compares false with everything.
    return not (libmp.mpf_gt(low, libmp.fzero) or libmp.mpf_lt(high, libmp.fzero))


def _real(enclosure: Enclosure) -> Interval:
    if enclosure[1] != _ZERO:
        raise CannotEvaluate
    return enclosure[0]


def _of_fraction(value: Fraction, bits: int) -> Enclosure:
    above, below = (libmp.from_int(part) for part in value.as_integer_ratio())
    return intervals.mpi_div((above, above), (below, below), bits), _ZERO


def _divided(left: Enclosure, right: Enclosure, bits: int) -> Enclosure:
    if not excludes_zero(right):
        raise CannotEvaluate
    if right[1] == _ZERO:
        return intervals.mpi_div(left[0], right[0], bits), intervals.mpi_div(left[1], right[0], bits)
    quotient: Enclosure = intervals.mpci_div(left, right, bits)
    return quotient


def _multiplied(left: Enclosure, right: Enclosure, bits: int) -> Enclosure:
    if left[1] == _ZERO and right[1] == _ZERO:
        return intervals.mpi_mul(left[0], right[0], bits), _ZERO
    product: Enclosure = intervals.mpci_mul(left, right, bits)
    return product


def _whole_power(base: Enclosure, exponent: int, bits: int) -> Enclosure:
    if exponent < 0:
        return _divided((_ONE, _ZERO), _whole_power(base, -exponent, bits), bits)
    result: Enclosure = (_ONE, _ZERO)
    while exponent:
        if exponent & 1:
            result = _multiplied(result, base, bits)
        exponent >>= 1
        base = _multiplied(base, base, bits) if exponent else base
    return result


def _root(radicand: Interval, degree: int, bits: int) -> Interval:
    if not libmp.mpf_gt(radicand[0], libmp.fzero):
        raise CannotEvaluate
    if degree == 2:
        return intervals.mpi_sqrt(radicand, bits)
    exponent = _of_fraction(Fraction(1, degree), bits)[0]
    return intervals.mpi_exp(intervals.mpi_mul(intervals.mpi_log(radicand, bits), exponent, bits), bits)


def _arcsine(operands: Sequence[Interval], bits: int) -> Interval:
    (sine,) = operands
    cosine = intervals.mpi_sqrt(intervals.mpi_sub(_ONE, intervals.mpi_square(sine, bits), bits), bits)
    if _contains_zero(cosine):
        raise CannotEvaluate
    return intervals.mpi_atan(intervals.mpi_div(sine, cosine, bits), bits)


def _quarter_turn_minus(angle: Interval, bits: int) -> Interval:
    return intervals.mpi_sub(intervals.mpi_shift(intervals.mpi_pi(bits), -1), angle, bits)


def _power(operands: Sequence[Interval], bits: int) -> Interval:
    base, exponent = operands
    if not libmp.mpf_gt(base[0], libmp.fzero):
        raise CannotEvaluate
    return intervals.mpi_exp(_bounded(intervals.mpi_mul(intervals.mpi_log(base, bits), exponent, bits)), bits)


def _bounded(exponent: Interval) -> Interval:
    """An exponent of e that leaves a number of bearable length; raises CannotEvaluate for any other."""
    for _, mantissa, shift, length in exponent:
        if (mantissa and shift + length > _MAX_EXPONENT_BITS) or (not mantissa and shift):
            raise CannotEvaluate
    return exponent


_ARITHMETIC: dict[str, Callable[[Enclosure, Enclosure, int], Enclosure]] = {
    "+": intervals.mpci_add,
    "*": _multiplied,
    "/": _divided,
}
_FUNCTIONS: dict[str, Callable[[Sequence[Interval], int], Interval]] = {
    "pi": lambda operands, bits: intervals.mpi_pi(bits),
    "e": lambda operands, bits: intervals.mpi_exp(_ONE, bits),
    "^": _power,
    "root": lambda operands, bits: _root(operands[1], libmp.to_int(operands[0][0]), bits),
    "|": lambda operands, bits: intervals.mpi_abs(operands[0], bits),
    r"\ln": lambda operands, bits: intervals.mpi_log(operands[0], bits),
    r"\arctan": lambda operands, bits: intervals.mpi_atan(operands[0], bits),
    r"\arccot": lambda operands, bits: _quarter_turn_minus(intervals.mpi_atan(operands[0], bits), bits),
    r"\arcsin": _arcsine,
    r"\arccos": lambda operands, bits: _quarter_turn_minus(_arcsine(operands, bits), bits),
}
