"""One step of a solution, spoilt in its text: another number, another operation, a condition left out.

Knows nothing of problems, policies or where the step stands. What a step passes on is the result of its last true
equation, else the number that it says something "gives", else the numbers that it names; every spoilt step passes on
something else. Errors made by rule on right solutions are how first-error labels can be audited without a human.
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
_Edit = tuple[int, int, str]  # a span of the step, and what comes in its place

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
    """`step_text` with one error, first the kind and then the error drawn evenly; None where nothing can be spoilt.

    White space around the step, its label and everything that the error does not touch stay as they are.
    """
    found = corruptions(step_text)
    kinds = [kind for kind in KINDS if any(one.kind == kind for one in found)]
    if not kinds:
        return None
    kind = draw.choice(kinds)
    return draw.choice([one for one in found if one.kind == kind])


def corruptions(step_text: str) -> tuple[Corruption, ...]:
    """Every error that can be made in a step of a readable length, all different, none of them the step itself."""
    if len(step_text) > _LONGEST:
        return ()
    equation, statement = last_equation(step_text), _last_statement(step_text)
    if equation and equation.is_true and not _goes_on(equation, statement):
        made = _in_equation(step_text, equation)
    elif statement:
        made = _in_statement(step_text, statement)
    else:
        made = _in_prose(step_text)
    unlike = {one.text: one for one in made if one.text != step_text}
    return tuple(unlike.values())


def passed_on(step_text: str) -> Fraction | None:
    """The number that a step hands to the next one: the result of its last equation or statement, if it has one."""
    equation, statement = last_equation(step_text), _last_statement(step_text)
    if equation and not _goes_on(equation, statement):
        return equation.result
    return _value(statement["value"]) if statement else None


def _last_statement(step: str) -> re.Match[str] | None:
    matches = list(_RESULT.finditer(step))
    return matches[-1] if matches else None


def _goes_on(equation: Equation, statement: re.Match[str] | None) -> bool:
    """Whether the step states another result behind its equation."""
    return bool(
        statement and statement.start("value") >= equation.end and _value(statement["value"]) != equation.result
    )


def _in_equation(step: str, equation: Equation) -> Iterator[Corruption]:
    """Errors that leave the equation false, or true of something else; a result said before it would contradict it."""
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
    for place, lexeme in enumerate(left):
        before, behind = list(left[:place]), list(left[place + 1 :])
        if lexeme.kind == "number":
            for near in near_numbers(step[lexeme.start : lexeme.end]):
                changed = replace(lexeme, symbol=near.replace(",", ""))
                yield "number", [*before, changed, *behind], [(lexeme.start, lexeme.end, near)]
        elif lexeme.kind == "operator" and place:
            sign = _OTHER_SIGN[lexeme.symbol]
            yield "operation", [*before, replace(lexeme, symbol=sign), *behind], [(lexeme.start, lexeme.end, sign)]
            rest = [*before, *behind[1:]]
            if sum(one.kind == "number" for one in rest) > 1:
                yield "dropped_condition", rest, [(left[place - 1].end, behind[0].end, "")]


def _in_statement(step: str, result: re.Match[str]) -> Iterator[Corruption]:
    """Errors in "adding 5 to 17 gives 22": another result, or the opposite of what was to be done."""
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
    """Errors in a line that computes nothing: a number misquoted wherever it stands, or a clause with one left out."""
    numbers = [one for one in lexemes(step) if one.kind == "number" and not _REFERENCE.search(step[: one.start])]
    for symbol in dict.fromkeys(number.symbol for number in numbers):
        same = [number for number in numbers if number.symbol == symbol]
        for near in near_numbers(step[same[0].start : same[0].end]):
            yield Corruption(kind="number", text=_edited(step, [(one.start, one.end, near) for one in same]))
    for start, end in _later_clauses(step):
        told = {number.symbol for number in numbers if start <= number.start < end}
        elsewhere = {number.symbol for number in numbers if not start <= number.start < end}
        if elsewhere and told - elsewhere:
            yield Corruption(kind="dropped_condition", text=_edited(step, [(start, end, "")]))


def near_numbers(text: str) -> tuple[str, ...]:
    """Numbers that are 1, 2 or 10 units of the last place away from the one written, of as many digits and its sign."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    places = len(digits.partition(".")[2])
    units = int(re.sub(r"[.,]", "", digits))
    others = (units + step for step in (-10, -2, -1, 1, 2, 10))
    kept = [other for other in others if other > 0 and len(str(other)) == len(str(units))]
    near = [written(Fraction(other, 10**places), like=digits) for other in kept]
    return tuple(f"{sign}{number}" for number in near if number is not None)


def _restated(step: str, equation: Equation, result: str, edits: Sequence[_Edit] = ()) -> str:
    """The step with another result, also where it says the result again behind the equation."""
    again = [
        (lexeme.start, lexeme.end, result)
        for lexeme in lexemes(step)
        if lexeme.kind == "number" and lexeme.start >= equation.end and _value(lexeme.symbol) == equation.result
    ]
    return _edited(step, [*edits, (equation.start, equation.end, result), *again])


def _is_said_otherwise(step: str, equation: Equation) -> bool:
    """Whether the result stands where `_restated` leaves it: before the equation, or behind it without its sign."""
    same = [one for one in lexemes(step) if one.kind == "number" and _value(one.symbol) == abs(equation.result)]
    before = any(one.start < equation.left[0].start for one in same)
    return before or (equation.result < 0 and any(one.start >= equation.end for one in same))


def _later_clauses(step: str) -> Iterator[tuple[int, int]]:
    """Spans of the clauses behind the first one, each with what parts it from the clause before."""
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
