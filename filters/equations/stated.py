r"""Equations that a text states between plain numbers, and whether each is true, false or not to be checked.

The arithmetic is exact and no model is asked. An equation is false only if nothing excuses it: a rounding, a unit,
another base, a supposition, a retraction, a formula that goes on in letters. What may be excused is `unchecked`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from filters.equations.doubts import Doubts
from filters.equations.formulas import Number, Operation
from filters.equations.judging import (
    Truth,
    are_opposite,
    begins_with,
    divides,
    equal,
    exact_value,
    holds_otherwise,
    is_comparable,
    is_excused,
)
from filters.equations.lexemes import Lexeme, lexemes
from filters.equations.sides import Side, left_side, right_side
from filters.equations.words import SPOKEN_RELATIONS

_MOST_CHARACTERS = 200_000
_SIGN_OF_EQUATION = re.compile(r"=|\b(?:is|are|equals?|makes?|gives?)\b")
_CALCULATION = re.compile(r"<<([^<>]*)>>")


@dataclass(frozen=True, slots=True)
class Equation:
    """An equation as the text writes it, its span in the text, and whether it is true."""

    text: str
    span: tuple[int, int]
    truth: Truth


def refuted(text: str, given: str = "") -> Equation | None:
    """The first false equation that a text states; None if it states none."""
    return next((equation for equation in stated_equations(text, given) if equation.truth is Truth.FALSE), None)


@lru_cache(maxsize=8192)
def stated_equations(text: str, given: str = "") -> tuple[Equation, ...]:
    """The equations of a text in order, link by link where they form a chain.

    `given` is what the text answers: where that counts in another base or on a clock, nothing is false. Text beyond
    200,000 characters is not read.
    """
    if not _SIGN_OF_EQUATION.search(text):
        return ()
    text = text[:_MOST_CHARACTERS]
    calculations = [(match.start(1), match.end(1)) for match in _CALCULATION.finditer(text)]
    outside = _CALCULATION.sub(lambda match: " " * len(match.group()), text)
    doubts = Doubts.of(outside, given)
    equations = list(_equations(text, outside, 0, doubts))
    for start, end in calculations:
        equations += _equations(text, text[start:end], start, doubts)
    return tuple(sorted(equations, key=lambda equation: equation.span))


def _equations(text: str, part: str, offset: int, doubts: Doubts) -> Iterator[Equation]:
    pieces = _with_spoken_relations(lexemes(part))
    last_relation = max((piece.start for piece in pieces if piece.kind == "relation"), default=0)
    for index, piece in enumerate(pieces):
        if piece.kind != "relation" or (piece.symbol == "other" and piece.end - piece.start > 8):
            continue
        left, right = left_side(pieces, index), right_side(pieces, index)
        is_spoken = piece.symbol in SPOKEN_RELATIONS
        if left is None and right is None:
            continue
        if is_spoken and not (left and right and _is_spoken_equation(left, right)):
            continue
        start = (left.start if left else piece.start) + offset
        end = (right.end if right else piece.end) + offset
        truth = Truth.UNCHECKED
        if left and right and piece.symbol != "other":
            truth = _truth(left, right, last_relation >= right.end, doubts, (start, end))
        yield Equation(text[start:end], (start, end), truth)


def _is_spoken_equation(left: Side, right: Side) -> bool:
    """Whether "is" states an equation, as in "3 + 4 is 7"; "2/3 is 8 hectares" and "the digit of 3^3 is 7" do not."""
    return not (left.is_lone or left.is_fraction or left.is_of or left.is_open or right.is_open)


def _truth(left: Side, right: Side, goes_on: bool, doubts: Doubts, span: tuple[int, int]) -> Truth:
    same = equal(left, right)
    if same is None or not is_comparable(left, right) or not doubts.stated(*span):
        return Truth.UNCHECKED
    if same:
        return Truth.TRUE
    excused = (
        is_excused(left, right)
        or doubts.says_rounded(*span)
        or (divides(left.formula) and doubts.says_remainder(*span))
        or (left.is_lone and bool(left.units - {"$", "%"}))
        or holds_otherwise(left, right)
        or (are_opposite(left, right) and doubts.says_shortfall(*span))
        or (goes_on and _carries_on(left, right))
    )
    return Truth.UNCHECKED if excused else Truth.FALSE


def _carries_on(left: Side, right: Side) -> bool:
    """Whether the right side computes on from the left one's value, as in `5 + 3 = 8 * 2 = 16`."""
    value = exact_value(left)
    if value is None or not isinstance(right.formula, Operation):
        return False
    return begins_with(right.formula, left.formula if left.is_fraction else Number(value, 0))


def _with_spoken_relations(pieces: Sequence[Lexeme]) -> list[Lexeme]:
    """The lexemes with "is", "equals" and "is equal to" as relations."""
    spoken: list[Lexeme] = []
    for piece in pieces:
        word = piece.symbol.casefold() if piece.kind == "word" else ""
        if word in SPOKEN_RELATIONS:
            spoken.append(Lexeme("relation", word, piece.start, piece.end))
        elif (
            word in ("equal", "to")
            and spoken
            and spoken[-1].kind == "relation"
            and spoken[-1].symbol in ("is", "equals")
        ):
            spoken[-1] = Lexeme("relation", "equals" if word == "equal" else "is", spoken[-1].start, piece.end)
        else:
            spoken.append(piece)
    return spoken
