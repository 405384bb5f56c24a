r"""Settles exactly whether two expressions or equations are the same, without algebra where that is possible.

`equal` is proven: the difference is zero whatever the variables are, or an algebraic number below the bound of its
kind. `different` is certified: an interval around the difference of two numbers excludes zero.
"""

from fractions import Fraction

from filters.answers.algebra.bounds import is_zero
from filters.answers.algebra.enclosures import enclose, enclose_atoms, excludes_zero
from filters.answers.algebra.expressions import Expression, difference, letters_of, number, parse
from filters.answers.algebra.forms import Forms
from filters.answers.algebra.tokens import CannotEvaluate
from filters.answers.algebra.values import agree_at_signed_points
from filters.answers.verdicts import Verdict

QUICK_BITS = 6_000  # what the event loop can wait for
_PRECISIONS = (64, 256, 1024, 4096)


def settle(left: str, right: str, max_bits: int = QUICK_BITS) -> Verdict | None:
    """The verdict on two tidy texts if it can be proven with numbers of `max_bits` bits, else None."""
    try:
        if ("=" in left) != ("=" in right):
            return None
        if "=" in left:
            return _settle_equations(_sides(left), _sides(right), max_bits)
        return settle_trees(parse(left), parse(right), max_bits)
    except (CannotEvaluate, ArithmeticError, ValueError):
        return None


def settle_trees(left: Expression, right: Expression, max_bits: int = QUICK_BITS) -> Verdict | None:
    """The verdict on two expressions, or None; raises CannotEvaluate where an operation has no form."""
    letters = letters_of(left) | letters_of(right)
    if letters and not agree_at_signed_points(left, right):
        return Verdict.UNPARSED  # equal only where variables are positive: a convention decides
    forms = Forms(max_bits)
    form = forms.of(difference(left, right))
    identical = is_zero(form, len(forms.atoms), max_bits)
    if identical:
        return Verdict.EQUAL
    if letters:
        return None
    if identical is False and not forms.atoms:
        return Verdict.DIFFERENT
    return Verdict.DIFFERENT if _is_certainly_not_zero(form, forms.atoms, max_bits) else None


def _is_certainly_not_zero(form: Expression, atoms: list[Expression], max_bits: int) -> bool:
    for bits in (precision for precision in _PRECISIONS if precision <= max_bits):
        try:
            if excludes_zero(enclose(form, enclose_atoms(atoms, bits), bits)):
                return True
        except CannotEvaluate:
            continue
    return False


def _sides(equation: str) -> Expression:
    left, _, right = equation.partition("=")
    return difference(parse(left), parse(right))


def _settle_equations(left: Expression, right: Expression, max_bits: int) -> Verdict | None:
    """Two equations are equal when their sides' differences have a constant ratio that is not zero."""
    letters = letters_of(left)
    if not letters or letters != letters_of(right):
        return None
    point = {name: Fraction(5 + 3 * place, 2 + place) for place, name in enumerate(sorted(letters))}
    left_there, right_there = _at(left, point), _at(right, point)
    for value in (left_there, right_there):
        if settle_trees(value, number(0), max_bits) is not Verdict.DIFFERENT:
            return None
    products = Expression("*", (left, right_there)), Expression("*", (right, left_there))
    return Verdict.EQUAL if settle_trees(*products, max_bits) is Verdict.EQUAL else None


def _at(tree: Expression, point: dict[str, Fraction]) -> Expression:
    """A tree with numbers for its variables."""
    if tree.head == "letter":
        return number(point[str(tree.value)])
    return Expression(tree.head, tuple(_at(operand, point) for operand in tree.operands), tree.value)
