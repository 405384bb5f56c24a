"""Proves by sympy's rewriting that an expression is zero: for worker processes, since it may take for ever."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from filters.answers.algebra.expressions import Expression

_SAME_NAME = ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "exp")


def sympy_of(tree: Expression) -> Any:
    """The sympy expression of a tree, with real variables; raises KeyError for what sympy should not see."""
    import sympy

    if tree.head == "number":
        return sympy.Rational(*Fraction(tree.value).as_integer_ratio())
    if tree.head == "letter":
        return sympy.Symbol(str(tree.value), real=True)
    return _operations()[tree.head](*map(sympy_of, tree.operands))


def is_proven_zero(expression: Any) -> bool:
    """Whether one of sympy's exact rewritings makes an expression zero."""
    return any(rewritten == 0 for rewritten in _rewritings(expression))


def are_proportional(one: Any, other: Any) -> bool:
    """Whether the numerators of two expressions are proven to have a constant ratio that is not zero."""
    import sympy

    above, below = (sympy.fraction(sympy.together(side))[0] for side in (one, other))
    if above == 0 or below == 0:
        return False
    ratio = sympy.simplify(sympy.cancel(above / below))
    return bool(ratio.is_number and ratio.is_finite and ratio != 0)


def _rewritings(expression: Any) -> Iterator[Any]:
    import sympy

    yield expression
    yield sympy.expand(expression)
    yield sympy.cancel(sympy.together(expression))
    yield sympy.expand(sympy.expand_trig(expression))
    yield sympy.trigsimp(expression)
    yield sympy.combsimp(expression)
    yield sympy.simplify(expression)
    yield sympy.simplify(sympy.expand_log(expression))


def _operations() -> dict[str, Callable[..., Any]]:
    import sympy

    return {
        "pi": lambda: sympy.pi,
        "e": lambda: sympy.E,
        "i": lambda: sympy.I,
        "+": sympy.Add,
        "-": lambda a, b: a - b,
        "*": sympy.Mul,
        "/": lambda a, b: a / b,
        "^": sympy.Pow,
        "root": lambda degree, radicand: _root(sympy, degree, radicand),
        "!": sympy.factorial,
        "|": sympy.Abs,
        r"\lfloor": sympy.floor,
        r"\lceil": sympy.ceiling,
        r"\binom": sympy.binomial,
        r"\max": sympy.Max,
        r"\min": sympy.Min,
        r"\log_": lambda base, value: sympy.log(value, base),
        r"\ln": sympy.log,
        r"\lg": lambda value: sympy.log(value, 10),
        r"\log": lambda value: sympy.log(value, sympy.Symbol("b", positive=True)),  # whatever its base is
        **{rf"\{name}": getattr(sympy, name) for name in _SAME_NAME},
        **{rf"\arc{name}": getattr(sympy, f"a{name}") for name in _SAME_NAME[:4]},
    }


def _root(sympy: Any, degree: Any, radicand: Any) -> Any:
    return sympy.real_root(radicand, degree) if degree % 2 else sympy.root(radicand, degree)
