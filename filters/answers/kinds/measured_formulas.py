r"""Formulas with a unit after them: `36\pi cm^2`, `2\sqrt{3} m`, `5! ways`.

As with numbers, a unit on one side only is no difference.
"""

import re
from functools import lru_cache

from filters.answers.algebra.expressions import parse
from filters.answers.algebra.tokens import CannotEvaluate
from filters.answers.kinds.outcomes import Compare, Outcome
from filters.answers.kinds.quantities import parse_quantity
from filters.answers.kinds.units import ratio, read_unit
from filters.answers.verdicts import AnswerRule, Verdict

_UNIT = r"(?!degrees?$)[A-Za-z]{2,}(?:[ /]+[A-Za-z]+)*(?: ?\^ ?\{?[0-9]\}?)?"
_FORMULA = re.compile(rf"(.*?(?:[0-9)}}!|]|\\pi|(?<![A-Za-z\\])[a-zA-Z]))\s*(?<![A-Za-z\\])({_UNIT})", re.DOTALL)
# What changes the number before it.
_CHANGING = frozenset({"percent", "cent", "ordinal", "degree"})


def compare_measured(left: str, right: str, rule: AnswerRule, compare: Compare) -> Outcome | None:
    """Compare where at least one side is a formula with a unit; None where neither is."""
    if _formula(left) is None and _formula(right) is None:
        return None
    ours, theirs = _measured(left), _measured(right)
    if ours is None or theirs is None:
        return None
    (formula, unit), (other, other_unit) = ours, theirs
    if any(side[1] and len(side[0]) == 1 and side[0].isalpha() for side in (ours, theirs)):
        return Outcome(Verdict.UNPARSED, "number")  # `x dollars` is a formula, `A line` is none
    if not unit or not other_unit or unit == other_unit or rule.units == "ignored":
        return compare(formula, other, rule)
    factor = ratio(unit, other_unit)
    if factor and rule.units == "converted":
        return compare(rf"({factor}) \cdot ({formula})", other, rule)
    return Outcome(Verdict.DIFFERENT if factor == 0 else Verdict.UNPARSED, "number")


@lru_cache(maxsize=4096)
def _formula(text: str) -> tuple[str, str | None] | None:
    """A formula and its unit; None for a plain number and for text that is no such thing."""
    match = _FORMULA.fullmatch(text)
    unit = read_unit(match[2]) if match and parse_quantity(text) is None else None
    if match is None or unit is None or unit in _CHANGING or not _is_expression(match[1]):
        return None
    return match[1], None if unit == "unit" else unit


def _measured(text: str) -> tuple[str, str | None] | None:
    """A formula or a number, and the unit where there is one."""
    if quantity := parse_quantity(text):
        is_plain = quantity.unit not in _CHANGING and not quantity.is_sum and not quantity.is_letter
        return (str(quantity.value), quantity.unit) if is_plain else None
    return _formula(text) or ((text, None) if _is_expression(text) else None)


def _is_expression(text: str) -> bool:
    try:
        parse(text)
    except CannotEvaluate:
        return False
    return True
