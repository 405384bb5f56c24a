"""How a tree splits into terms and factors: a rational coefficient and the rest, prime factors, a part of pi."""

from fractions import Fraction

from filters.answers.algebra.expressions import Expression, number
from filters.answers.algebra.rationals import rational_value
from filters.answers.algebra.tokens import CannotEvaluate

_MAX_PRIME = 10_000
_MAX_TERMS = 16
_ONE = number(1)
Factors = tuple[Expression, ...]


def product(factors: list[Expression]) -> Expression:
    """The product of at least one factor."""
    product = factors[0]
    for factor in factors[1:]:
        product = Expression("*", (product, factor))
    return product


def has(tree: Expression, head: str) -> bool:
    """Whether a node of this kind is anywhere in a tree."""
    return tree.head == head or any(has(operand, head) for operand in tree.operands)


def rational_or_none(tree: Expression) -> Fraction | None:
    """The exact value of plain arithmetic, or None."""
    try:
        return rational_value(tree)
    except (CannotEvaluate, ArithmeticError, ValueError):
        return None


def as_power(tree: Expression) -> tuple[Expression, Fraction | None]:
    """The base of a power, root or exponential, and its exponent where that is a number."""
    if tree.head == r"\exp":
        return Expression("e"), rational_or_none(tree.operands[0])
    if tree.head == "root":
        degree, base = tree.operands
        return base, 1 / Fraction(degree.value)
    return tree.operands[0], rational_or_none(tree.operands[1])


def terms_of(tree: Expression) -> list[tuple[Fraction, Factors]]:
    """A tree as a sum: the terms' rational coefficients and other factors."""
    if (value := rational_or_none(tree)) is not None:
        return [(value, ())]
    if tree.head == "+":
        return _collected([term for operand in tree.operands for term in terms_of(operand)])
    if tree.head == "*":
        ours, theirs = map(terms_of, tree.operands)
        if len(ours) * len(theirs) > _MAX_TERMS:
            raise CannotEvaluate
        products = [(a * b, tuple(sorted((*one, *other), key=repr))) for a, one in ours for b, other in theirs]
        return _collected(products)
    if tree.head == "/" and (divisor := rational_or_none(tree.operands[1])):
        return [(times / divisor, rest) for times, rest in terms_of(tree.operands[0])]
    if tree.head == "/" and tree.operands[0] != _ONE:
        inverse = Expression("/", (_ONE, tree.operands[1]))
        return terms_of(Expression("*", (tree.operands[0], inverse)))
    if tree.head == "root" and tree.operands[0] == number(2):
        radicand = rational_or_none(tree.operands[1])
        if radicand is not None and radicand > 0:
            before, below = _square_free(radicand)
            return [(before, (Expression("root", (number(2), number(below))),))]
    return [(Fraction(1), (tree,))]


def _collected(terms: list[tuple[Fraction, Factors]]) -> list[tuple[Fraction, Factors]]:
    total: dict[Factors, Fraction] = {}
    for times, rest in terms:
        total[rest] = total.get(rest, Fraction(0)) + times
    return [(times, rest) for rest, times in total.items() if times] or [(Fraction(0), ())]


def factors_of(value: Fraction) -> list[tuple[int, int]]:
    """Prime factors of a positive fraction with their powers; what is left beyond small primes counts as one."""
    factors = []
    for part, sign in ((value.numerator, 1), (value.denominator, -1)):
        for prime in range(2, _MAX_PRIME):
            if prime * prime > part:
                break
            times = 0
            while part % prime == 0:
                part //= prime
                times += 1
            if times:
                factors.append((prime, sign * times))
        if part > 1:
            factors.append((part, sign))
    return factors


def _square_free(radicand: Fraction) -> tuple[Fraction, Fraction]:
    """The factor before a square root, and what is left below it."""
    before, below = Fraction(1), Fraction(1)
    for prime, times in factors_of(radicand):
        before *= Fraction(prime) ** (times // 2)
        below *= prime if times % 2 else 1
    return before, below


def part_of_pi(tree: Expression) -> Fraction | None:
    """The fraction q where a tree is certainly q times pi."""
    form = _linear(tree)
    return form.get((1, 0), Fraction(0)) if form is not None and set(form) <= {(1, 0)} else None


_Linear = dict[tuple[int, int], Fraction]  # coefficients of pi^j i^k


def _linear(tree: Expression) -> _Linear | None:
    if (value := rational_or_none(tree)) is not None:
        return {(0, 0): value} if value else {}
    if tree.head in ("pi", "i"):
        return {(1, 0) if tree.head == "pi" else (0, 1): Fraction(1)}
    if tree.head not in ("+", "*", "/"):
        return None
    parts = [_linear(operand) for operand in tree.operands]
    total = parts[0]
    for part in parts[1:]:
        if total is None or part is None:
            return None
        total = _added(total, part) if tree.head == "+" else _multiplied(total, part, tree.head == "/")
    return total


def _added(one: _Linear, other: _Linear) -> _Linear:
    total = {key: one.get(key, Fraction(0)) + other.get(key, Fraction(0)) for key in one.keys() | other.keys()}
    return {key: value for key, value in total.items() if value}


def _multiplied(one: _Linear, other: _Linear, is_quotient: bool) -> _Linear | None:
    if is_quotient:
        if len(other) != 1:
            return None
        ((pis, units), value) = next(iter(other.items()))
        other = {(-pis, -units): 1 / value}
    total: _Linear = {}
    for (pis, units), value in one.items():
        for (more_pis, more_units), more in other.items():
            power = units + more_units
            sign = -1 if power % 4 in (2, 3) else 1
            total = _added(total, {(pis + more_pis, power % 2): sign * value * more})
    return total
