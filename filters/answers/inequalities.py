r"""Rewrites inequalities in one variable as intervals: `2 \le x < 5` becomes `[2,5)`.

Bounds stay text and are not evaluated.
"""

import re

_SIGN = r"(\\leq?(?![a-zA-Z])|\\geq?(?![a-zA-Z])|\\leqslant|\\geqslant|\\lt(?![a-zA-Z])|\\gt(?![a-zA-Z])|<=|>=|<|>)"
_ANY = re.compile(_SIGN)
_VARIABLE = re.compile(r"[a-zA-Z]")
_ALTERNATIVES = re.compile(r"\s+or\s+|\\(?:lor|vee)(?![a-zA-Z])|\\cup(?![a-zA-Z])")
_INFINITY = r"\infty"


def as_intervals(text: str) -> str | None:
    """Return a tidy inequality, or several joined by `or`, as a union of intervals; None for any other text."""
    if not _ANY.search(text):
        return None
    parts = [_interval(part.strip()) for part in _ALTERNATIVES.split(text)]
    if None in parts or len({part[0] for part in parts if part}) != 1:
        return None
    return r" \cup ".join(part[1] for part in parts if part)


def _interval(text: str) -> tuple[str, str] | None:
    """The variable and its interval, or None."""
    pieces = [piece.strip() for piece in _ANY.split(text)]
    if not all(pieces):
        return None
    if len(pieces) == 3:
        left, sign, right = pieces
        if _VARIABLE.fullmatch(left) and left not in right:
            return left, _half_line(right, sign)
        if _VARIABLE.fullmatch(right) and right not in left:
            return right, _half_line(left, _flipped(sign))
    if len(pieces) == 5:
        low, first, variable, second, high = pieces
        if _is_greater(first) and _is_greater(second):
            low, first, second, high = high, _flipped(second), _flipped(first), low
        if _VARIABLE.fullmatch(variable) and not (_is_greater(first) or _is_greater(second)):
            return variable, f"{'[' if _is_closed(first) else '('}{low},{high}{']' if _is_closed(second) else ')'}"
    return None


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
