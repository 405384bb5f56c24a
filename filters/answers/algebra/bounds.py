r"""Decides whether a form is zero, by a bound below which no form like it lies unless it is zero.

A form is built by sums, products, quotients and roots from whole numbers, cosines of parts of pi, and atoms. It is a
quotient of two algebraic integers, whose conjugates are bounded by how the form is built; so a value that is not zero
is at least as large as the bound of Burnikel, Funke, Mehlhorn, Schirra and Schmitt (2001). An interval of enough
precision then decides. Atoms are indeterminates: each stands for a whole number so large that a form is zero there only
if it is zero for every value (Kronecker's substitution).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from filters.answers.algebra.enclosures import Enclosure, enclose, excludes_zero, is_within
from filters.answers.algebra.expressions import Expression, number
from filters.answers.algebra.tokens import CannotEvaluate

_MAX_DEGREE = 4096
_MAX_ORDER = 5000
_GUARD_BITS = 64


@dataclass(frozen=True, slots=True)
class Bound:
    """Binary logarithms that bound the conjugates of numerator and denominator, and their degrees in each atom."""

    above: float
    below: float
    degrees_above: tuple[int, ...]
    degrees_below: tuple[int, ...]


def is_zero(form: Expression, atoms: int, max_bits: int) -> bool | None:
    """Whether a form is zero whatever its atoms are; None if deciding takes more than `max_bits` bits."""
    try:
        degree = _degree_of(form)
        bound = _bound_of(form, (0.0,) * atoms)
        sizes = _substitution(bound, degree, max_bits)
        substituted = _bound_of(form, tuple(map(float, sizes)))
        lowest = math.ceil((degree - 1) * substituted.above + substituted.below) + 1
        if lowest > max_bits:
            return None
        return _is_below(form, [number(2**size) for size in sizes], lowest, max_bits)
    except (CannotEvaluate, OverflowError):
        return None


def _is_below(form: Expression, atoms: Sequence[Expression], lowest: int, max_bits: int) -> bool | None:
    """Whether the value lies between the bounds around zero, by intervals of growing precision."""
    bits = _GUARD_BITS
    while bits <= 4 * (max_bits + _GUARD_BITS):
        enclosures: list[Enclosure] = [enclose(atom, (), bits + lowest) for atom in atoms]
        try:
            value = enclose(form, enclosures, bits)
        except CannotEvaluate:  # a divisor that this precision cannot tell from zero
            bits *= 2
            continue
        if excludes_zero(value):
            return False
        if is_within(value, -lowest):
            return True
        bits *= 2
    return None


def _substitution(bound: Bound, degree: int, max_bits: int) -> list[int]:
    """The whole number that each atom stands for, as a power of two."""
    base = math.ceil(degree * bound.above) + 2
    sizes, product = [], 1
    for in_atom in bound.degrees_above:
        sizes.append(base * product)
        product *= degree * in_atom + 1
        if base * product > max_bits * 8:
            raise CannotEvaluate
    return sizes


def _degree_of(form: Expression) -> int:
    """A bound on the degree of the field that holds a form: its distinct roots, and the roots of unity together."""
    roots, order = set(), 1
    for node in _nodes(form):
        if node.head == "root":
            roots.add(node)
        elif node.head == "cos":
            order = math.lcm(order, 2 * Fraction(node.value).denominator)
        elif node.head == "i":
            order = math.lcm(order, 4)
        if order > _MAX_ORDER:
            raise CannotEvaluate
    degree = _totient(order) * math.prod(int(Fraction(root.operands[0].value)) for root in roots)
    if degree > _MAX_DEGREE:
        raise CannotEvaluate
    return degree


def _nodes(form: Expression) -> Iterator[Expression]:
    yield form
    for operand in form.operands:
        yield from _nodes(operand)


def _totient(order: int) -> int:
    return sum(math.gcd(order, k) == 1 for k in range(1, order + 1))


def _bound_of(form: Expression, sizes: tuple[float, ...]) -> Bound:
    """The bound of a form whose atoms have these binary logarithms; 0 for indeterminates."""
    none = (0,) * len(sizes)
    if form.head == "number":
        above, below = Fraction(form.value).as_integer_ratio()
        return Bound(_log2(abs(above)), _log2(below), none, none)
    if form.head == "atom":
        index = int(form.value)
        return Bound(sizes[index], 0.0, tuple(int(place == index) for place in range(len(sizes))), none)
    if form.head == "cos":
        return Bound(1.0, 1.0, none, none)  # the sum of two roots of unity, halved
    if form.head == "i":
        return Bound(0.0, 0.0, none, none)
    if form.head == "root":
        return _of_root(_bound_of(form.operands[1], sizes), int(Fraction(form.operands[0].value)))
    if form.head == "^":
        return _of_power(_bound_of(form.operands[0], sizes), int(Fraction(form.operands[1].value)))
    first, *others = (_bound_of(operand, sizes) for operand in form.operands)
    for other in others:
        first = _of_sum(first, other) if form.head == "+" else _of_product(first, other, form.head == "/")
    return first


def _of_sum(one: Bound, other: Bound) -> Bound:
    above = _log2_of_sum(one.above + other.below, other.above + one.below)
    return Bound(
        above,
        one.below + other.below,
        tuple(map(max, _added(one.degrees_above, other.degrees_below), _added(other.degrees_above, one.degrees_below))),
        _added(one.degrees_below, other.degrees_below),
    )


def _of_product(one: Bound, other: Bound, is_quotient: bool) -> Bound:
    if is_quotient:
        other = _inverse(other)
    return Bound(
        one.above + other.above,
        one.below + other.below,
        _added(one.degrees_above, other.degrees_above),
        _added(one.degrees_below, other.degrees_below),
    )


def _of_power(base: Bound, exponent: int) -> Bound:
    if exponent < 0:
        base, exponent = _inverse(base), -exponent
    return Bound(
        base.above * exponent,
        base.below * exponent,
        tuple(degree * exponent for degree in base.degrees_above),
        tuple(degree * exponent for degree in base.degrees_below),
    )


def _of_root(radicand: Bound, degree: int) -> Bound:
    """The bound of a root of a form without atoms, over the smaller of its two common denominators."""
    above, below = radicand.above, radicand.below
    if above >= below:
        return Bound((above + (degree - 1) * below) / degree, below, radicand.degrees_above, radicand.degrees_below)
    return Bound(above, ((degree - 1) * above + below) / degree, radicand.degrees_above, radicand.degrees_below)


def _inverse(bound: Bound) -> Bound:
    return Bound(bound.below, bound.above, bound.degrees_below, bound.degrees_above)


def _added(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(sum, zip(one, other, strict=True)))


def _log2(value: int) -> float:
    return float(max(value - 1, 0).bit_length())


def _log2_of_sum(one: float, other: float) -> float:
    large, small = max(one, other), min(one, other)
    return large + math.log2(1 + 2.0 ** max(small - large, -1000)) + 1e-9
