r"""Equations that a line of text states: its lexemes, its last equation between numbers, the value of a formula.

It reads `17 + 5 = 22`, `(3 + 5) \times 2 = 16`, `$2.50 + $1 = $3.50`; a formula with letters in it states no equation.
"""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Literal, cast

LexemeKind = Literal["number", "operator", "bracket", "equals", "word"]

# Neither a part of a name (x_1), nor an ordinal (2nd), nor longer than is worth reading.
NUMBER = r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.\d{1,6})?(?!\d|\.\d|,\d{3}(?!\d)|(?:st|nd|rd|th)\b)"
_LEXEME = re.compile(
    rf"(?P<skipped>\\?\$(?=\d)|\\[,;!])|(?P<emphasis>\*\*+|//+)|(?P<number>{NUMBER})"
    r"|(?P<operator>\\times\b|\\cdot\b|\\div\b|[-+*/×·÷−]|(?<=\d )x(?= \d))"
    r"|(?P<bracket>[()])|(?P<equals>=)|(?P<word>\\?\w+|\S)"
)
_SYMBOLS = {r"\times": "*", r"\cdot": "*", "×": "*", "·": "*", "x": "*", r"\div": "/", "÷": "/", "−": "-"}
_LABEL = re.compile(r"\s*(?:[-*•#>]+\s+)*\**(?:step\s+\d+\b|\(?\d+[.)](?=\s))?", re.IGNORECASE)
_BEFORE_FORMULA = frozenset("([{$:;,*\"'")
_MOST_LEXEMES = 100


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A piece of a line and its span; `symbol` is its plain form (`*` for `×`, `1000` for `1,000`)."""

    kind: LexemeKind
    symbol: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Equation:
    """`left = result` as a line states it; `start` and `end` are the span of the result, its sign included."""

    left: tuple[Lexeme, ...]
    result: Fraction
    start: int
    end: int

    @property
    def is_true(self) -> bool:
        """Whether the left side equals the result exactly."""
        return evaluate(self.left) == self.result


def lexemes(text: str) -> list[Lexeme]:
    """The pieces of a line after its label ("Step 3", "2.", a bullet), without white space and currency signs."""
    label = _LABEL.match(text)
    pieces = []
    for match in _LEXEME.finditer(text, label.end() if label else 0):
        kind, piece = match.lastgroup, match.group()
        if kind == "skipped":
            continue
        symbol = piece.replace(",", "") if kind == "number" else _SYMBOLS.get(piece, piece)
        known = "word" if kind == "emphasis" else cast(LexemeKind, kind)
        pieces.append(Lexeme(known, symbol, match.start(), match.end()))
    return pieces


def last_equation(text: str) -> Equation | None:
    """The last `formula = number` of a line; of a chain `a = b = c` its last link. None if there is none."""
    equation = None
    for is_word, group in groupby(lexemes(text), key=lambda lexeme: lexeme.kind == "word"):
        run = list(group)
        if not is_word and _stands_alone(text, run):
            equation = _last_link(run) or equation
    return equation


def evaluate(formula: Sequence[Lexeme]) -> Fraction | None:
    """The exact value of a formula; None if it is not a formula or divides by zero."""
    if len(formula) > _MOST_LEXEMES:
        return None
    symbols = deque(lexeme.symbol for lexeme in formula)
    try:
        value = _sum(symbols)
    except (IndexError, ValueError, ZeroDivisionError):
        return None
    return None if symbols else value


def written(value: Fraction, *, like: str) -> str | None:
    """`value` formatted like the number `like`: grouped, with as many decimals; None if that is not exact."""
    whole, _, decimals = like.partition(".")
    scaled = value * 10 ** len(decimals)
    if scaled.denominator != 1:
        return None
    group = "," if "," in whole else ""
    units, places = abs(scaled.numerator), len(decimals)
    digits = f"{units // 10**places:{group}}" + (f".{units % 10**places:0{places}d}" if places else "")
    return f"-{digits}" if value < 0 else digits


def _stands_alone(text: str, run: Sequence[Lexeme]) -> bool:
    """Whether a run of numbers and signs is complete, unlike that in `f(3) + 5 = 9` or `y - 3 = 9`."""
    first = run[0]
    before = text[first.start - 1] if first.start else " "
    if first.kind == "operator" and len(run) > 1 and first.end != run[1].start:
        return False
    return before.isspace() or before in _BEFORE_FORMULA


def _last_link(run: Sequence[Lexeme]) -> Equation | None:
    sides = [list(side) for is_sign, side in groupby(run, key=lambda lexeme: lexeme.kind == "equals") if not is_sign]
    if len(sides) < 2 or all(lexeme.kind != "operator" for lexeme in sides[-2]):
        return None
    left, right = sides[-2], sides[-1]
    result = evaluate(right)
    if result is None or [lexeme.kind for lexeme in right] not in (["number"], ["operator", "number"]):
        return None
    return Equation(tuple(left), result, right[0].start, right[-1].end) if evaluate(left) is not None else None


def _sum(symbols: deque[str]) -> Fraction:
    value = _product(symbols)
    while symbols and symbols[0] in "+-":
        sign = symbols.popleft()
        value = value + _product(symbols) if sign == "+" else value - _product(symbols)
    return value


def _product(symbols: deque[str]) -> Fraction:
    value = _factor(symbols)
    while symbols and symbols[0] in "*/":
        sign = symbols.popleft()
        value = value * _factor(symbols) if sign == "*" else value / _factor(symbols)
    return value


def _factor(symbols: deque[str]) -> Fraction:
    symbol = symbols.popleft()
    if symbol == "-":
        return -_factor(symbols)
    if symbol == "(":
        value = _sum(symbols)
        if symbols.popleft() != ")":
            raise ValueError("a bracket is not closed")
        return value
    return Fraction(symbol)
