r"""The values that an answer states, where people wrote more than the value.

`The solution is $x = 2$.` states what follows the claim, `\log 100 = 2` what its left side comes out as, and
`x = \frac{2}{4} = \frac{1}{2}` its last form. An equation between unknowns states itself. `\sqrt{2} \approx 1.41` is a
value and its approximation, `x > 3: (3, \infty)` one set in two ways.
"""

import re
from itertools import pairwise

_CLAIM = re.compile(
    r"(?:[A-Za-z][^$.\n]*\b(?:is|are|equals|be|length|of|takes|gives|get|has)\b|(?:the\s+)?(?:solution|answer)s?)"
    r"\s*:?\s*(?=\$|-?[0-9][0-9.,/]*(?:\s[^\W\d]+){0,2}\s*\.?\s*$)",
    re.IGNORECASE,
)
_APPROXIMATELY = re.compile(r"\\approx(?![a-zA-Z])|≈")
_SET = re.compile(
    r"(?P<compared>[^:]*(?:[<>≤≥]|\\[lg](?:e|eq|t|eqslant)(?![a-zA-Z]))[^:]*):\s*(?P<interval>[(\[].*[)\]])"
)
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{\w+\}(?:\{[lcr|\s]*\})?")
_BEHIND = re.compile(r"\s*(?:[A-Za-z]+(?:\s[A-Za-z]+)?)?\s*\.?")  # a unit, and a full stop
_BETWEEN = re.compile(r"[\s,;]*(?:and|or)?[\s,;]*", re.IGNORECASE)
_SPAN = re.compile(r"\$\$?([^$]+)\$\$?")
_COMMAND = re.compile(r"\\(?:text|mathrm|operatorname)\s*\{[^{}]*\}|\\[a-zA-Z]+")
_NAME = re.compile(r"(?:\\?[a-zA-Z]+|\\(?:mathbf|vec|bar|hat)\s*\{[a-zA-Z]+\})(?:_\{?\w+\}?)?'*")
_CALL = re.compile(r"\\?[a-zA-Z]+\s*(?:\\left)?\(.*[=|].*\)", re.DOTALL)
_COMPARED = re.compile(r"\\(?:neq?|leq?|geq?|approx|equiv|in|sim|to)\b|[<>≤≥≠≈,;]")
_BETWEEN_VALUES = re.compile(r"[,;]|\bor\b")
_OPEN, _CLOSED = "([{", ")]}"
_CONSTANTS = frozenset("ei")


def stated(answer: str) -> list[str]:
    """The value, in each form that the answer gives it; the answer itself where it states no other one."""
    return _ways(_at_last(_claimed(answer)))


def _claimed(answer: str) -> str:
    """What follows a claim in words: formulas, with nothing but commas, `and` and `or` between them, and a unit."""
    claim = _CLAIM.match(answer)
    if claim and answer[claim.end() :] and answer[claim.end()] != "$":
        return answer[claim.end() :].strip().removesuffix(".")
    spans = list(_SPAN.finditer(answer, claim.end())) if claim else []
    if claim is None or not spans or spans[0].start() != claim.end():
        return answer
    between = [answer[one.end() : other.start()] for one, other in pairwise(spans)]
    behind = answer[spans[-1].end() :]
    if not all(map(_BETWEEN.fullmatch, between)) or not _BEHIND.fullmatch(behind):
        return answer
    return answer[claim.end() :].strip().removesuffix(".").strip()


def _at_last(answer: str) -> str:
    """The right side of a calculation, with the name that stands before it."""
    span = _SPAN.match(answer)
    formula, behind = (span[1], answer[span.end() :]) if span else (answer, "")
    if "$" in behind or (not span and "$" in answer) or "\n" in formula.strip():
        return answer
    parts = _sides(formula)
    if len(parts) < 2 or not all(parts) or any(_COMPARED.search(_outside(part)) for part in parts):
        return answer
    first, *middle, last = parts
    if _is_calculation(first) or _CALL.fullmatch(first):
        return f"{last}{behind}"
    if _NAME.fullmatch(first) and middle and not any(map(_NAME.fullmatch, middle)):
        return f"{first} = {last}{behind}"
    return answer


def _ways(answer: str) -> list[str]:
    """A value and its approximation, or an inequality and its interval, each on its own."""
    span = _SPAN.fullmatch(answer)
    formula = span[1].strip() if span else answer
    if "$" in formula or _BETWEEN_VALUES.search(_outside(formula)):
        return [answer]
    if both := _SET.fullmatch(formula):
        return [both[1].strip(), both[2].strip()]
    return _approximated(formula) or [answer]


def _approximated(formula: str) -> list[str]:
    """A value and its approximation, or the approximation alone; nothing if the formula is none."""
    exact, *approximations = (part.strip() for part in _APPROXIMATELY.split(formula))
    if len(approximations) != 1 or _NAME.fullmatch(exact):
        return []
    name, equals, _ = exact.rpartition("=")
    return [exact, f"{name}{equals} {approximations[0]}".strip()] if exact else approximations


def _sides(formula: str) -> list[str]:
    """What stands between the equals signs that are in no brackets."""
    sides, depth, start = [], 0, 0
    for place, sign in enumerate(formula):
        depth += (sign in _OPEN) - (sign in _CLOSED)
        if sign == "=" and depth == 0:
            sides.append(formula[start:place].strip())
            start = place + 1
    return [*sides, formula[start:].strip()]


def _outside(formula: str) -> str:
    """A formula without what stands in brackets."""
    kept, depth = [], 0
    for sign in formula:
        depth += sign in _OPEN
        if depth == 0:
            kept.append(sign)
        depth -= sign in _CLOSED
    return "".join(kept)


def _is_calculation(formula: str) -> bool:
    """Whether a formula has a value of its own: numbers and functions, without an unknown."""
    letters = set(re.findall(r"[A-Za-z]", _COMMAND.sub(" ", _ENVIRONMENT.sub(" ", formula))))
    return letters <= _CONSTANTS and bool(re.search(r"[0-9]", formula)) and not formula.lstrip("-").isdecimal()
