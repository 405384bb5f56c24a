"""Which steps of a solution state a false equation."""

from collections.abc import Sequence

from filters.equations.judging import Truth
from filters.equations.stated import refuted, stated_equations


def false_equation(step: str, *, given: str) -> str | None:
    """The first false equation that a step states, as it writes it; `given` is the problem and the steps before."""
    equation = refuted(step, given)
    return equation.text if equation else None


def false_equations(steps: Sequence[str], *, given: str) -> list[str | None]:
    """For each step of a solution of the problem `given`, its first false equation; None where it states none."""
    return [false_equation(step, given=given + "\n" + "".join(steps[:index])) for index, step in enumerate(steps)]


def first_refuted(equations: Sequence[str | None]) -> int | None:
    """The index of the first step with a false equation; None if there is none."""
    return next((index for index, equation in enumerate(equations) if equation is not None), None)


def states_checkable(step: str, *, given: str) -> bool:
    """Whether a step states an equation whose truth is known."""
    return any(equation.truth is not Truth.UNCHECKED for equation in stated_equations(step, given))
