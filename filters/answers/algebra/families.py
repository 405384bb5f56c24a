r"""General solutions with arbitrary constants: `c_1 e^t + c_2 e^{-t}`, also of vectors, and `F(x) + C`.

The names, signs and multiples of the constants carry no meaning: two general solutions are the same if the constants
of one can be chosen so that it becomes the other. In double precision that can be refuted and not proven.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from filters.answers.algebra.evaluation import Evaluation
from filters.answers.algebra.expressions import Expression, letters_of, parse
from filters.answers.algebra.tokens import CannotEvaluate

MAX_CONSTANTS = 8
MAX_ROWS = 6
_ADDED = re.compile(r"(?:^|[+-])\s*C\s*(?:[+-]|$)")
_COLUMN = re.compile(
    r"[(\[]\s*\\begin\s*\{array\}\s*\{[lcr]\}((?:(?!\\begin|&).)*)\\end\s*\{array\}\s*[)\]]", re.DOTALL
)
_CONSTANT = re.compile(r"[cC]_[0-9]")
_TIMES = (0.137, 0.291, 0.433, 0.612, 0.779, 0.944, 1.083, 1.271, 1.459, 1.618, 1.787, 1.913)
_MIXED = (1.7, -0.6, 2.3, 0.9, -1.4, 0.35, 1.1, -2.2)
_ORIGIN = (1.609, 0.747)
_OUTSIDE = 1e-4
_LINEAR = 1e-8

Matrix = np.ndarray[tuple[int, int], np.dtype[np.complex128]]


class Family(NamedTuple):
    """The values of a general solution at some times: without constants, and what each constant multiplies."""

    particular: Matrix
    directions: Matrix


def are_other_families(left: str, right: str) -> bool | None:
    """Whether two general solutions certainly hold different functions; None if one of them is no general solution."""
    ours, theirs = family_of(left), family_of(right)
    if ours is None or theirs is None:
        return None
    if len(ours.particular) != len(theirs.particular):
        return True
    return (
        _leaves(ours.directions, theirs.directions)
        or _leaves(theirs.directions, ours.directions)
        or _leaves(ours.directions, ours.particular - theirs.particular)
    )


@lru_cache(maxsize=1024)
def family_of(text: str) -> Family | None:
    """A general solution in one variable by its values; None for any other text."""
    if "c_" not in text.lower() and not _ADDED.search(text):
        return None
    try:
        components = _components(text)
        letters = frozenset().union(*map(letters_of, components))
        constants = sorted(
            name for name in letters if _CONSTANT.fullmatch(name) or (name == "C" and _ADDED.search(text))
        )
        variables = letters - set(constants)
        if len(variables) != 1 or not 0 < len(constants) <= MAX_CONSTANTS:
            return None
        return _sampled(components, constants, *variables)
    except CannotEvaluate:
        return None


def _components(text: str) -> list[Expression]:
    """The components of a sum of vectors, each with factors; the expression itself without vectors."""
    columns = [[row.strip() for row in column.split(r"\\") if row.strip()] for column in _COLUMN.findall(text)]
    sizes = {len(column) for column in columns}
    if not columns:
        return [parse(text)]
    if len(sizes) != 1 or not 1 < max(sizes) <= MAX_ROWS:
        raise CannotEvaluate
    for scale in ("1", "2", "3"):
        _check_one_each(_COLUMN.sub(f"({scale})", text), _COLUMN.sub("(1)", text), float(scale))
    components = []
    for row in range(max(sizes)):
        rows = iter(columns)
        components.append(parse(_COLUMN.sub(lambda _, rows=rows, row=row: f"({next(rows)[row]})", text)))  # type: ignore[misc]
    return components


def _check_one_each(scaled: str, plain: str, scale: float) -> None:
    """Raise CannotEvaluate unless each term has exactly one vector: then all of it grows with the vectors."""
    ours, theirs = Evaluation(_ORIGIN).pair(parse(scaled), parse(plain))
    if abs(ours - scale * theirs) > _LINEAR * abs(theirs):
        raise CannotEvaluate


def _sampled(components: Sequence[Expression], constants: Sequence[str], variable: str) -> Family | None:
    particular = _values(components, dict.fromkeys(constants, 0.0), variable)
    units = [{name: float(name == chosen) for name in constants} for chosen in constants]
    directions = np.hstack([_values(components, unit, variable) - particular for unit in units])
    mixed = dict(zip(constants, _MIXED, strict=False))
    expected = particular + directions @ np.array([[mixed[name]] for name in constants])
    error = np.abs(_values(components, mixed, variable) - expected).max()
    return Family(particular, directions) if error <= _LINEAR * np.abs(expected).max() else None


def _values(components: Sequence[Expression], constants: dict[str, float], variable: str) -> Matrix:
    values = []
    for time in _TIMES:
        evaluation = Evaluation(_ORIGIN, replaced={**constants, variable: time})
        values += [[evaluation.value(component)] for component in components]
    return np.array(values, dtype=np.complex128)


def _leaves(directions: Matrix, columns: Matrix) -> bool:
    """Whether one of the columns is far from all combinations of the directions."""
    sizes = np.linalg.norm(directions, axis=0)
    basis = directions[:, sizes > 0] / sizes[sizes > 0]
    lengths = np.linalg.norm(columns, axis=0)
    rest = columns - basis @ np.linalg.lstsq(basis, columns, rcond=None)[0]
    return bool((np.linalg.norm(rest, axis=0) > _OUTSIDE * lengths).any())
