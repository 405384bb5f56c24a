"""Closeness of two numbers, where the rule of a source gives a tolerance."""

import cmath
import re

from filters.answers.algebra.evaluation import value_of
from filters.answers.algebra.expressions import parse
from filters.answers.algebra.tokens import CannotEvaluate
from filters.answers.kinds.calls import exact_value

_COMMAND = re.compile(r"\\[a-zA-Z]+")


def are_close(left: str, right: str, tolerance: float) -> bool:
    """Whether two numbers differ by at most `tolerance` of the larger one; False where one of them is no number."""
    ours, theirs = number_near(left), number_near(right)
    if ours is None or theirs is None:
        return False
    return abs(ours - theirs) <= tolerance * max(abs(ours), abs(theirs)) * (1 + 1e-12)


def number_near(text: str) -> complex | None:
    """The value of an expression without variables, in double precision."""
    exact = exact_value(text)
    try:
        if exact is not None:
            return complex(exact.numerator / exact.denominator)
        if set(filter(str.isalpha, _COMMAND.sub("", text))) - {"e", "i"}:
            return None
        value = value_of(parse(text))
    except (CannotEvaluate, ArithmeticError, ValueError):
        return None
    return value if cmath.isfinite(value) else None
