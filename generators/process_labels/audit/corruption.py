"""Spoil the text of one step: another number, another operation, a condition left out.

A step passes on the result of its last true equation, else the number that it says something "gives", else the numbers
that it names. Every spoilt step passes on something else.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Literal, get_args

from generators.process_labels.audit.arithmetic import (
    NUMBER,
    Equation,
    Lexeme,
    evaluate,
    last_equation,
    lexemes,
    written,
)

Kind = Literal["number", "operation", "dropped_condition"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_LONGEST = 2000  # characters; a longer line is a policy that runs in circles
_Edit = tuple[int, int, str]  # a span of the step, and the text that replaces it

_RESULT = re.compile(
    r"(?:=|\b(?:gives?|makes?|leaves?|equals?|yields?|becomes?|gets?|is|totals?|total of)\b)"
    rf"[\s:$*]*(?P<value>-?{NUMBER})"
)
_ADDING = re.compile(rf"\b(?P<verb>add|subtract)(?:ing|s)? (?P<term>{NUMBER})(?: (?P<link>to|from)\b)?", re.IGNORECASE)
_OTHER_VERB = {"add": "subtract", "subtract": "add"}
_OTHER_LINK = {"to": "from", "from": "to"}
_OTHER_SIGN = {"+": "-", "-": "+", "*": "+", "/": "-"}
_REFERENCE = re.compile(r"\b(?:step|line|case|part|equation)s? \(?$", re.IGNORECASE)
_CLAUSE_START = re.compile(r"[,;] and |[,;] | and ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Corruption:
    """A spoilt step: its whole `text`, and what kind of error it holds."""

    kind: Kind
    text: str


def corrupt(step_text: str, draw: random.Random) -> Corruption | None:
    """Put one error into `step_text`: draw its kind, then the error, evenly; None if nothing can be spoilt.

    White space around the step, its label and everything that the error does not touch stay as they are.
    """
    options = corruptions(step_text)
    kinds = [kind for kind in KINDS if any(option.kind == kind for option in options)]
    if not kinds:
        return None
    kind = draw.choice(kinds)
    return draw.choice([option for option in options if option.kind == kind])


def corruptions(step_text: str) -> tuple[Corruption, ...]:
    """Every way to spoil a step of a readable length, all with different texts, none with the step's own."""
    if len(step_text) > _LONGEST:
        return ()
    equation, statement = last_equation(step_text), _last_statement(step_text)
    if equation and equation.is_true and not _goes_on(equation, statement):
        options = _in_equation(step_text, equation)
    elif statement:
        options = _in_statement(step_text, statement)
    else:
        options = _in_prose(step_text)
    by_text = {option.text: option for option in options if option.text != step_text}
    return tuple(by_text.values())


def passed_on(step_text: str) -> Fraction | None:
    """The number that a step passes on to the next one: the result of its last equation or statement, if it has one."""
    equation, statement = last_equation(step_text), _last_statement(step_text)
    if equation and not _goes_on(equation, statement):
        return equation.result
    return _value(statement["value"]) if statement else None


def _last_statement(step: str) -> re.Match[str] | None:
    matches = list(_RESULT.finditer(step))
    return matches[-1] if matches else None


def _goes_on(equation: Equation, statement: re.Match[str] | None) -> bool:
    """Whether the step states another result after its equation."""
    return bool(
        statement and statement.start("value") >= equation.end and _value(statement["value"]) != equation.result
    )


def _in_equation(step: str, equation: Equation) -> Iterator[Corruption]:
    """Make the equation false, or compute something else; none where the step states its result elsewhere too."""
    stated = step[equation.start : equation.end]
    if _is_said_otherwise(step, equation):
        return
    for near in near_numbers(stated):
        yield Corruption(kind="number", text=_restated(step, equation, near))
    for kind, formula, edits in _other_formulas(step, equation.left):
        value = evaluate(formula)
        result = None if value is None or value == equation.result else written(value, like=stated)
        if result is not None:
            yield Corruption(kind=kind, text=_restated(step, equation, result, edits))


def _other_formulas(step: str, left: Sequence[Lexeme]) -> Iterator[tuple[Kind, list[Lexeme], list[_Edit]]]:
    """The formula with one number changed, one operation changed, or one term left out, and the edits that do it."""
    for index, lexeme in enumerate(left):
        before, after = list(left[:index]), list(left[index + 1 :])
        if lexeme.kind == "number":
            for near in near_numbers(step[lexeme.start : lexeme.end]):
                changed = replace(lexeme, symbol=near.replace(",", ""))
                yield "number", [*before, changed, *after], [(lexeme.start, lexeme.end, near)]
        elif lexeme.kind == "operator" and index:
            sign = _OTHER_SIGN[lexeme.symbol]
            yield "operation", [*before, replace(lexeme, symbol=sign), *after], [(lexeme.start, lexeme.end, sign)]
            rest = [*before, *after[1:]]
            if sum(other.kind == "number" for other in rest) > 1:
                yield "dropped_condition", rest, [(left[index - 1].end, after[0].end, "")]


def _in_statement(step: str, result: re.Match[str]) -> Iterator[Corruption]:
    """Spoil "adding 5 to 17 gives 22": another result, or the opposite operation."""
    stated = result["value"]
    for near in near_numbers(stated):
        yield Corruption(kind="number", text=_edited(step, [(*result.span("value"), near)]))
    verbs = [verb for verb in _ADDING.finditer(step) if verb.end() <= result.start()]
    if len(verbs) != 1:
        return
    verb = verbs[0]
    twice = 2 * _value(verb["term"])
    value = _value(stated) + (-twice if verb["verb"].lower() == "add" else twice)
    opposite = written(value, like=stated)
    if opposite is not None and twice and (value >= 0 or _value(stated) < 0):
        edits = [(*verb.span("verb"), _in_case(_OTHER_VERB[verb["verb"].lower()], like=verb["verb"]))]
        if verb["link"]:
            edits.append((*verb.span("link"), _OTHER_LINK[verb["link"].lower()]))
        yield Corruption(kind="operation", text=_edited(step, [*edits, (*result.span("value"), opposite)]))


def _in_prose(step: str) -> Iterator[Corruption]:
    """Spoil a line that computes nothing: misquote a number everywhere, or leave out a clause with a number."""
    numbers = [
        lexeme for lexeme in lexemes(step) if lexeme.kind == "number" and not _REFERENCE.search(step[: lexeme.start])
    ]
    for symbol in dict.fromkeys(number.symbol for number in numbers):
        same = [number for number in numbers if number.symbol == symbol]
        for near in near_numbers(step[same[0].start : same[0].end]):
            yield Corruption(kind="number", text=_edited(step, [(number.start, number.end, near) for number in same]))
    for start, end in _later_clauses(step):
        inside = {number.symbol for number in numbers if start <= number.start < end}
        outside = {number.symbol for number in numbers if not start <= number.start < end}
        if outside and inside - outside:
            yield Corruption(kind="dropped_condition", text=_edited(step, [(start, end, "")]))


def near_numbers(text: str) -> tuple[str, ...]:
    """Numbers with the same sign and as many digits that differ by 1, 2 or 10 units of the last digit."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    places = len(digits.partition(".")[2])
    units = int(re.sub(r"[.,]", "", digits))
    others = (units + step for step in (-10, -2, -1, 1, 2, 10))
    kept = [other for other in others if other > 0 and len(str(other)) == len(str(units))]
    near = [written(Fraction(other, 10**places), like=digits) for other in kept]
    return tuple(f"{sign}{number}" for number in near if number is not None)


def _restated(step: str, equation: Equation, result: str, edits: Sequence[_Edit] = ()) -> str:
    """The step with another result, also where it repeats the result after the equation."""
    again = [
        (lexeme.start, lexeme.end, result)
        for lexeme in lexemes(step)
        if lexeme.kind == "number" and lexeme.start >= equation.end and _value(lexeme.symbol) == equation.result
    ]
    return _edited(step, [*edits, (equation.start, equation.end, result), *again])


def _is_said_otherwise(step: str, equation: Equation) -> bool:
    """Whether the result also occurs where `_restated` keeps it: before the equation, or after it without its sign."""
    same = [
        lexeme for lexeme in lexemes(step) if lexeme.kind == "number" and _value(lexeme.symbol) == abs(equation.result)
    ]
    is_before = any(number.start < equation.left[0].start for number in same)
    return is_before or (equation.result < 0 and any(number.start >= equation.end for number in same))


def _later_clauses(step: str) -> Iterator[tuple[int, int]]:
    """Spans of the clauses after the first, each with the separator before it."""
    body_end = len(step.rstrip().rstrip(".!:"))
    starts = [match.start() for match in _CLAUSE_START.finditer(step, 0, body_end)]
    yield from pairwise([*starts, body_end])


def _edited(text: str, edits: Sequence[_Edit]) -> str:
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _in_case(word: str, *, like: str) -> str:
    return word.capitalize() if like[0].isupper() else word


def _value(number: str) -> Fraction:
    return Fraction(number.replace(",", ""))
