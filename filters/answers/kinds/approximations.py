r"""Exact values with their decimals: `\frac{1}{\sqrt{3}} \approx 0.577` is the exact value.

Whether an answer that equals the decimals alone is right depends on the question, so it is left open. So are two exact
values that agree with decimals that do not.
"""

import re

from filters.answers.kinds.outcomes import Compare, Outcome
from filters.answers.kinds.quantities import parse_quantity
from filters.answers.kinds.tolerances import number_near
from filters.answers.verdicts import AnswerRule, Verdict

_EXACT = 9  # decimal places of what is not rounded
_PLACES = re.compile(r"\.([0-9]+)")


def compare_approximations(left: str, right: str, rule: AnswerRule, compare: Compare) -> Outcome | None:
    """Compare where at least one side has decimals after its exact value; None where neither has."""
    ours, theirs = _exact(left), _exact(right)
    if ours == left and theirs == right:
        return None
    outcome = compare(ours, theirs, rule)
    is_apart = _are_apart(left, right)
    if outcome.verdict is Verdict.DIFFERENT:
        return Outcome(Verdict.DIFFERENT if is_apart else Verdict.UNPARSED, "value")
    is_open = outcome.verdict is Verdict.UNPARSED or (is_apart and ours != left and theirs != right)
    return Outcome(Verdict.UNPARSED, "value") if is_open else outcome


def _exact(text: str) -> str:
    """What stands before the decimals; the text itself where there are none."""
    exact, sign, decimals = text.partition(r"\approx")
    is_decimal = "." in decimals and parse_quantity(decimals.strip()) is not None
    return exact.strip() if sign and exact.strip() and is_decimal else text


def _are_apart(left: str, right: str) -> bool:
    """Whether the decimals, or what there is without, are not one number rounded to different places."""
    texts = [text.partition(r"\approx")[2].strip() or text for text in (left, right)]
    ours, theirs = map(_near, texts)
    places = min(len(found[1]) if (found := _PLACES.search(text)) else _EXACT for text in texts)
    return ours is not None and theirs is not None and abs(ours - theirs) > 2 * 10.0**-places


def _near(text: str) -> complex | None:
    """The value of a number, with or without a unit; None where there is none in double precision."""
    quantity = parse_quantity(text)
    try:
        return number_near(text) if quantity is None else complex(quantity.value)
    except OverflowError:
        return None
