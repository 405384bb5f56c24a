r"""Rewrites inequalities in one variable as intervals: `2 \le x < 5` becomes `[2,5)`, `x \neq 1` two half-lines.

Bounds stay text and are not evaluated, except where a linear inequality is solved.
"""

import re
from fractions import Fraction
from functools import lru_cache

from filters.answers.kinds.calls import exact_value

_SIGN = r"(\\leq?(?![a-zA-Z])|\\geq?(?![a-zA-Z])|\\leqslant|\\geqslant|\\lt(?![a-zA-Z])|\\gt(?![a-zA-Z])|<=|>=|<|>)"
_ANY = re.compile(_SIGN)
_UNEQUAL = re.compile(r"\\neq?(?![a-zA-Z])")
_VARIABLE = re.compile(r"[a-zA-Z]")
_LETTER = re.compile(r"\\[a-zA-Z]+|([a-zA-Z])")
_ALTERNATIVES = re.compile(r"\s+or\s+|\\(?:lor|vee)(?![a-zA-Z])|\\cup(?![a-zA-Z])")
_CONDITIONS = re.compile(r"\s+and\s+|\\(?:land|wedge|cap)(?![a-zA-Z])")
_BUILT = re.compile(
    r"\\\{\s*([a-zA-Z])\s*(?:\\in\s*\\mathbb\{R\}\s*)?(?:\||:|\\mid(?![a-zA-Z]))\s*(.+?)\s*"
    r"(?:,\s*\1\s*\\in\s*\\mathbb\{R\}\s*)?\\\}"
)
_PUNCTURED = re.compile(r"\(-\\infty,([^,()]*)\) \\cup \(\1,\\infty\)")
_INFINITY = r"\infty"


def as_intervals(text: str) -> str | None:
    """Return a tidy inequality, or several joined by `or` or `and`, as a set of intervals; None for any other text."""
    condition = interval_of(text)
    return condition[1] if condition else None


@lru_cache(maxsize=4096)
def interval_of(text: str) -> tuple[str, str] | None:
    """The variable of an inequality and its intervals, or None."""
    if not (_ANY.search(text) or _UNEQUAL.search(text)):
        return None
    if built := _BUILT.fullmatch(text):
        condition = interval_of(built[2])
        return condition if condition and condition[0] == built[1] else None
    for pattern, sign in ((_ALTERNATIVES, r" \cup "), (_CONDITIONS, r" \cap ")):
        if pattern.search(text):
            return _joined([interval_of(part.strip()) for part in pattern.split(text)], sign)
    return _unequal(text) if _UNEQUAL.search(text) else _interval(text)


def _joined(parts: list[tuple[str, str] | None], sign: str) -> tuple[str, str] | None:
    known = [part for part in parts if part]
    if sign == r" \cap ":
        # A union binds less tightly than an intersection, so a line without a point is written as a difference.
        known = [
            (variable, _PUNCTURED.sub(r"(-\\infty,\\infty) \\setminus \\{\1\\}", text)) for variable, text in known
        ]
        if any(r"\cup" in text for _, text in known):
            return None
    if len(known) != len(parts) or len({variable for variable, _ in known}) != 1:
        return None
    return known[0][0], sign.join(interval for _, interval in known)


def _unequal(text: str) -> tuple[str, str] | None:
    r"""`x \neq 1` or `x \neq 1, 2`: the line without these points."""
    pieces = [piece.strip() for piece in _UNEQUAL.split(text)]
    if len(pieces) != 2 or not _VARIABLE.fullmatch(pieces[0]) or not pieces[1] or pieces[0] in _letters(pieces[1]):
        return None
    points = [point.strip() for point in pieces[1].split(",")]
    if len(points) == 1:
        return pieces[0], rf"(-\infty,{points[0]}) \cup ({points[0]},\infty)"
    return pieces[0], rf"(-\infty,\infty) \setminus \{{{','.join(points)}\}}"


def _interval(text: str) -> tuple[str, str] | None:
    """The variable and its interval, or None."""
    pieces = [piece.strip() for piece in _ANY.split(text)]
    if not all(pieces):
        return None
    if len(pieces) == 3:
        left, sign, right = pieces
        if _VARIABLE.fullmatch(left) and left not in _letters(right):
            return left, _half_line(right, sign)
        if _VARIABLE.fullmatch(right) and right not in _letters(left):
            return right, _half_line(left, _flipped(sign))
        return _solved(left, sign, right)
    if len(pieces) == 5:
        low, first, variable, second, high = pieces
        if _is_greater(first) and _is_greater(second):
            low, first, second, high = high, _flipped(second), _flipped(first), low
        if _VARIABLE.fullmatch(variable) and not (_is_greater(first) or _is_greater(second)):
            return variable, f"{'[' if _is_closed(first) else '('}{low},{high}{']' if _is_closed(second) else ')'}"
    return None


def _solved(left: str, sign: str, right: str) -> tuple[str, str] | None:
    """A linear inequality whose variable stands once on one side, solved for it; None for any other."""
    if _letters(left + right) == []:
        return None
    if not _letters(left):
        left, right, sign = right, left, _flipped(sign)
    (variable, *more), bound = _letters(left), exact_value(right)
    if more or bound is None or re.search(r"\^|\\sqrt|!|\|", left):
        return None
    # A fraction of linear terms in one occurrence that agrees with a line at three points is that line.
    values = [exact_value(_LETTER.sub(lambda m, x=x: f"({x})" if m[1] else m[0], left)) for x in (0, 1, 2)]  # type: ignore[misc]
    known = [value for value in values if value is not None]
    if len(known) < 3 or known[2] - known[1] != known[1] - known[0] or known[1] == known[0]:
        return None
    slope = known[1] - known[0]
    solution = Fraction(bound - known[0]) / slope
    return variable, _half_line(str(solution), sign if slope > 0 else _flipped(sign))


def _letters(text: str) -> list[str]:
    return [letter for letter in _LETTER.findall(text) if letter]


def _half_line(bound: str, sign: str) -> str:
    if _is_greater(sign):
        return f"{'[' if _is_closed(sign) else '('}{bound},{_INFINITY})"
    return f"(-{_INFINITY},{bound}{']' if _is_closed(sign) else ')'}"


def _is_greater(sign: str) -> bool:
    return sign.startswith((r"\g", ">"))


def _is_closed(sign: str) -> bool:
    return "e" in sign or "=" in sign


def _flipped(sign: str) -> str:
    return ("<" if _is_greater(sign) else ">") + ("=" if _is_closed(sign) else "")
