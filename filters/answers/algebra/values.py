r"""Evaluates expressions at a few points in double precision, which distinguishes different ones without algebra.

Agreement at every point proves nothing. Variables are positive at most points; at the last ones they may be negative,
and only values without complex numbers on the way count there.
"""

import math
from collections.abc import Callable
from fractions import Fraction

from filters.answers.algebra.evaluation import ALL_NEGATIVE, Evaluation
from filters.answers.algebra.expressions import Expression, differ_in_case, letters_of, number, parse
from filters.answers.algebra.tokens import CannotEvaluate

__all__ = ["CannotEvaluate", "agree_at_signed_points", "differ"]

POINTS = ((1.609, 0.747), (0.523, 1.381), (2.277, 0.913), (1.137, 2.071))
SMALL_POINTS = ((0.31, 0.013), (0.107, 0.029), (0.71, 0.003))  # where a formula has a value that is none at the others
SIGNED_POINT = (1.371, 0.619)
SIGNS = (ALL_NEGATIVE, 0, 1, 2)  # all variables negative, or those with this bit in their names
LOG_BASES = (math.e, 10.0)  # what `\log` without a base may mean
_SMOOTH = frozenset({"number", "letter", "pi", "e", "+", "-", "*", "/", "^", r"\sin", r"\cos", r"\exp"})
_FAR = 1e-6
_HUGE = 1e12  # beyond it, a term of common size is lost in rounding
_SAMPLES = 24
_SOLVING_POINTS = ((0.31, 0.013), (1.07, 0.029), POINTS[0])  # small, so that more equations have a solution there


def differ(left: str, right: str) -> bool | None:
    """True if two tidy expressions (or equations) certainly differ, False if they agree at every point.

    None if one of them cannot be read or has no value, or if only negative variables tell them apart.
    """
    if ("=" in left) != ("=" in right):
        return None
    try:
        ours, theirs = (_sides(text) if "=" in text else parse(text) for text in (left, right))
        if differ_in_case(ours, theirs) or _differ_in_computed_index(ours, theirs):
            return None
        return _equations_differ(ours, theirs) if "=" in left else _expressions_differ(ours, theirs)
    except CannotEvaluate:
        return None


def _differ_in_computed_index(left: Expression, right: Expression) -> bool:
    """Whether one side has a variable such as `a_{n+2}` that the other has not: it may be written `a_{2+n}` there."""
    return any("+" in name or "-" in name for name in letters_of(left) ^ letters_of(right))


def agree_at_signed_points(left: Expression, right: Expression) -> bool:
    """Whether two expressions never differ where variables are negative and both sides are real all along."""
    for sign in SIGNS:
        try:
            pair = Evaluation(SIGNED_POINT, sign=sign, is_real=True).pair(left, right)
        except CannotEvaluate:
            continue
        if _are_far_apart(*pair):
            return False
    return True


def _expressions_differ(left: Expression, right: Expression) -> bool | None:
    verdicts = {_differ_by_base(left, right, base) for base in LOG_BASES}
    if len(verdicts) != 1:
        return None
    (far,) = verdicts
    return far if far or agree_at_signed_points(left, right) else None


def _differ_by_base(left: Expression, right: Expression, base: float) -> bool:
    try:
        pairs = [Evaluation(point, base=base).pair(left, right) for point in POINTS]
    except CannotEvaluate:
        pairs = []
    is_lost = not pairs or max(abs(value) for pair in pairs for value in pair) > _HUGE
    may_be_lost = is_lost or not (_has_branches(left) or _has_branches(right))
    if any(_are_far_apart(*pair) for pair in pairs):
        return True
    if may_be_lost and any(_are_far_apart(*pair) for pair in _real_pairs(left, right, base)):
        return True
    if not pairs:
        raise CannotEvaluate
    return False


def _has_branches(tree: Expression) -> bool:
    """Whether a tree has an operation whose value depends on the sign of something."""
    if tree.head not in _SMOOTH:
        return True
    exponent = tree.operands[1] if tree.head == "^" else number(1)
    is_root = exponent.head not in ("number", "letter", "*", "+")
    is_part = exponent.head == "number" and Fraction(exponent.value).denominator > 1
    return is_root or is_part or any(map(_has_branches, tree.operands))


def _real_pairs(left: Expression, right: Expression, base: float) -> list[tuple[complex, complex]]:
    """The values at the points where both sides are real all along."""
    pairs = []
    for point in (*SMALL_POINTS, *POINTS):
        try:
            pairs.append(Evaluation(point, base=base, is_real=True).pair(left, right))
        except CannotEvaluate:
            continue
    return pairs


def _sides(equation: str) -> Expression:
    """Left side minus right side."""
    left, _, right = equation.partition("=")
    return Expression("-", (parse(left), parse(right)))


def _equations_differ(left: Expression, right: Expression) -> bool | None:
    """False if the sides' differences have a constant ratio, True if a solution of one does not solve the other."""
    pairs = [Evaluation(point).pair(left, right) for point in POINTS]
    if any(0 in pair for pair in pairs):
        return None
    ratios = [a / b for a, b in pairs]
    if not any(_are_far_apart(ratio, ratios[0]) for ratio in ratios):
        return False
    return True if _solves_only_one(left, right) or _solves_only_one(right, left) else None


def _solves_only_one(solved: Expression, other: Expression) -> bool:
    """Whether a point where the first equation holds, found by bisection, is far from solving the second one."""
    names = sorted(letters_of(solved))
    for name in names:
        for start in _SOLVING_POINTS:
            root = _root(solved, name, start)
            if root is None:
                continue
            evaluation = Evaluation(start, is_real=True, replaced={name: root})
            try:
                left, right = (evaluation.value(side) for side in other.operands)
            except CannotEvaluate:
                continue
            if abs(left - right) > 1e-3 * (1 + max(abs(left), abs(right))):
                return True
    return False


def _root(equation: Expression, name: str, point: tuple[float, float]) -> float | None:
    """A value of one variable that solves an equation, with the others as they are at a point."""

    def at(value: float) -> float:
        return Evaluation(point, is_real=True, replaced={name: value}).value(equation).real

    previous: tuple[float, float] | None = None
    for index in range(-_SAMPLES, _SAMPLES + 1):
        position = math.sinh(index / 5) + 0.0137
        try:
            value = at(position)
        except CannotEvaluate:
            previous = None
            continue
        if previous and previous[1] * value < 0:
            return _bisected(at, previous[0], position)
        previous = (position, value)
    return None


def _bisected(at: Callable[[float], float], low: float, high: float) -> float | None:
    """A zero between two signs; None where the function jumps."""
    below, above = at(low), at(high)
    start = abs(below) + abs(above)
    while high - low > 1e-7 * (1 + abs(low)):
        middle = (low + high) / 2
        try:
            value = at(middle)
        except CannotEvaluate:  # so near to the zero that rounding would decide
            break
        if value * below > 0:
            low, below = middle, value
        else:
            high, above = middle, value
    return low if abs(below) + abs(above) < 1e-3 * start else None


def _are_far_apart(left: complex, right: complex) -> bool:
    return abs(left - right) > _FAR * max(abs(left), abs(right))
