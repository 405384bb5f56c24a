"""Ratios of two or more numbers: `3:4`, `3 : 4 : 5`, `3 to 4`."""

import re
from fractions import Fraction

from filters.answers.kinds.calls import exact_value
from filters.answers.verdicts import Verdict

_TO = re.compile(r"\s+(?:to|is to)\s+")
MAX_TERMS = 12


def compare_ratios(left: str, right: str) -> Verdict | None:
    """Compare where both sides are ratios, or one is and the other a number; None elsewhere."""
    ours, theirs = _ratio(left), _ratio(right)
    if ours is None and theirs is None:
        return None
    if ours is None or theirs is None:
        # A ratio may be asked for as a fraction, and a number of minutes as `3:00`.
        return Verdict.UNPARSED
    if ours == theirs:
        return Verdict.EQUAL
    if len(ours) != len(theirs):
        return Verdict.DIFFERENT
    proportional = all(a * theirs[0] == b * ours[0] for a, b in zip(ours, theirs, strict=True))
    # `6:8` is the ratio 3:4, but a question may ask for the simplest form, or for a score.
    return Verdict.UNPARSED if proportional else Verdict.DIFFERENT


def _ratio(text: str) -> tuple[Fraction, ...] | None:
    if ":" not in text and " to " not in text:
        return None
    parts = _TO.split(text) if ":" not in text else text.split(":")
    if not 1 < len(parts) <= MAX_TERMS:
        return None
    values = [exact_value(part.strip()) for part in parts]
    known = [value for value in values if value is not None]
    return tuple(known) if len(known) == len(values) and any(known) else None
