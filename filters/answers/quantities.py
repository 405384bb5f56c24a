r"""Exact numbers with an optional unit: `1,200`, `-.5`, `\frac{3}{4}`, `1 1/2`, `2.5 \times 10^3`, `18 eggs`.

Text that is not clearly a number is None here and left to another tier.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from filters.answers.verdicts import AnswerRule, Verdict

MAX_LENGTH = 200
MAX_EXPONENT = 999
MAX_PLAIN = 30

_UNSIGNED = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_PLAIN = re.compile(r"-?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?")
_SIGNED = rf"[+-]?\s*{_UNSIGNED}"
_DECIMAL = re.compile(_SIGNED)
_POWER = re.compile(rf"({_SIGNED})\s*(?:\\times|\\cdot|\*|x)\s*10\s*\^\s*\{{?\s*([+-]?[0-9]{{1,3}})\s*\}}?")
_SCIENTIFIC = re.compile(rf"({_SIGNED})[eE]([+-]?[0-9]{{1,3}})")
_RATIO = re.compile(
    rf"([+-]?)\s*(?:([0-9]+)(?:\s*(?=\\)|\s+))?"
    rf"(?:\\frac\s*\{{\s*({_SIGNED})\s*\}}\s*\{{\s*({_SIGNED})\s*\}}|({_UNSIGNED})\s*/\s*({_SIGNED}))"
)
_WITH_UNIT = re.compile(
    r"(.*[0-9.})])(?:\s*(%)|(\s*)((?:sq(?:uare|\.)? |cubic )?[A-Za-z][A-Za-z. ]*?)\s*(\^\s*[23])?)", re.DOTALL
)
_SHORT_UNIT = re.compile(r"[cmk]m|[km]g|ml|ft|mi|hrs?|min|sec|[mk]ph|lbs?|oz|gal|day|men|cup|egg|sq")
# Words after a number that change its value or join it to something else, so they are not units.
_NO_UNIT = re.compile(
    r"hundreds?|thousands?|[mbtr]+illions?|dozens?|score|pairs?|hal(?:f|ves)|thirds?|quarters?|fourths?|fifths?|tenths?"
    r"|squared|cubed|times|plus|minus|over|sqrt|with|more|less|than|base|each|from|then|thus|when|modulo|factorial|roots?"
)
_HUNDREDTHS = frozenset({"percent", "cent"})


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact value and the unit it was written with, singular and in lower case."""

    value: Fraction
    unit: str | None = None


def plain_number(text: str) -> int | Fraction | None:
    """Read `18`, `-1,200` or `3.50` exactly, and nothing else: the fast path for most answers."""
    if len(text) > MAX_PLAIN:
        return None
    text = text.removeprefix("$").removesuffix(".")
    if text.isdigit() and text.isascii():
        return int(text)
    if not _PLAIN.fullmatch(text):
        return None
    text = text.replace(",", "")
    return Fraction(text) if "." in text else int(text)


def parse_number(text: str) -> Fraction | None:
    """Read a tidy answer as one exact number, or return None."""
    text = _strip_parentheses(text.strip())
    if not text or len(text) > MAX_LENGTH:
        return None
    if _DECIMAL.fullmatch(text):
        return _fraction(text)
    if power := _POWER.fullmatch(text) or _SCIENTIFIC.fullmatch(text):
        exponent = int(power[2])
        return _fraction(power[1]) * Fraction(10) ** exponent if abs(exponent) <= MAX_EXPONENT else None
    return _parse_ratio(text)


def parse_quantity(text: str) -> Quantity | None:
    """Read a tidy answer as a number with an optional unit, or return None."""
    value = parse_number(text)
    if value is not None:
        return Quantity(value)
    match = _WITH_UNIT.fullmatch(text) if len(text) <= MAX_LENGTH else None
    unit = _unit(match) if match else None
    value = parse_number(match[1]) if match and unit else None
    return None if value is None else Quantity(value, unit)


def compare_quantities(left: Quantity, right: Quantity, rule: AnswerRule) -> Verdict:
    """Compare exactly; the rule decides about a percent or cent sign on one side only, and about different units."""
    if left.unit == right.unit or rule.units == "ignored":
        same = left.value == right.value
    elif "percent" in (left.unit, right.unit) and rule.percent != "undecided" and not (left.unit and right.unit):
        same = _without_percent(left, rule) == _without_percent(right, rule)
    elif _HUNDREDTHS & {left.unit, right.unit}:
        near = left.value in (right.value, right.value * 100, right.value / 100)
        return Verdict.UNPARSED if near else Verdict.DIFFERENT
    elif left.unit and right.unit:
        return Verdict.UNPARSED
    else:
        same = left.value == right.value
    return Verdict.EQUAL if same else Verdict.DIFFERENT


def _without_percent(quantity: Quantity, rule: AnswerRule) -> Fraction:
    return quantity.value / 100 if quantity.unit == "percent" and rule.percent == "fraction" else quantity.value


def numbers_within(text: str) -> set[Fraction]:
    """Return the numbers that occur anywhere in a text."""
    words = re.findall(rf"-?{_UNSIGNED}", text)
    return {_fraction(word) for word in words if len(word) <= MAX_LENGTH}


def _strip_parentheses(text: str) -> str:
    while len(text) > 2 and text[0] == "(" and text[-1] == ")" and not set("()") & set(text[1:-1]):
        text = text[1:-1].strip()
    return text


def _fraction(text: str) -> Fraction:
    return Fraction(re.sub(r"[,\s]", "", text))


def _parse_ratio(text: str) -> Fraction | None:
    match = _RATIO.fullmatch(text)
    if match is None:
        return None
    sign, whole, *parts = match.groups()
    above, below = (_fraction(part) for part in parts if part is not None)
    if below == 0:
        return None
    value = above / below
    if whole is not None:
        # Some write a product as `2 3/2`, so only a proper fraction makes a mixed number.
        if not 0 < value < 1:
            return None
        value += int(whole)
    return -value if sign == "-" else value


def _unit(match: re.Match[str]) -> str | None:
    if match[2]:
        return "percent"
    words = match[4].lower().replace(".", "").split()
    glued = not match[3]
    if not 1 <= len(words) <= 3 or any(_NO_UNIT.fullmatch(word) for word in words):
        return None
    if not all((len(word) > 3 and not glued) or _SHORT_UNIT.fullmatch(word) for word in words):
        return None
    power = re.sub(r"\s", "", match[5] or "")
    if words[0] in ("square", "sq", "cubic") and len(words) > 1:
        power = "^3" if words[0] == "cubic" else "^2"
        words = words[1:]
    return " ".join(_singular(word) for word in words) + power


def _singular(word: str) -> str:
    irregular = {"inches": "inch", "feet": "foot", "ft": "foot", "hrs": "hour", "hr": "hour", "min": "minute"}
    spelt = irregular | {"cm": "centimeter", "km": "kilometer", "kg": "kilogram", "lb": "pound", "lbs": "pound"}
    return spelt.get(word, word.removesuffix("s") if len(word) > 3 else word)
