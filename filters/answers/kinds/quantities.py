r"""Exact numbers with an optional unit: `1,200`, `-.5`, `\frac{3}{4}`, `1 1/2`, `2.5 \times 10^3`, `18 eggs`.

Text that is not clearly a number is None here and left to another tier.
"""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from filters.answers.kinds.decimals import REPEATING, UNSIGNED, decimal, repeating
from filters.answers.kinds.numerals import Numeral, read_numeral, scaled
from filters.answers.kinds.units import is_symbol, letter_unit, ratio, read_unit
from filters.answers.verdicts import AnswerRule, Verdict

MAX_LENGTH = 200
MAX_EXPONENT = 999
MAX_PLAIN = 30

_PLAIN = re.compile(r"-?(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.[0-9]+)?")
_SIGNED = rf"[+-]?\s*{UNSIGNED}"
_DECIMAL = re.compile(_SIGNED)
_POWER = re.compile(rf"({_SIGNED})\s*(?:\\times|\\cdot|\*|x)\s*10\s*\^\s*\{{?\s*([+-]?[0-9]{{1,3}})\s*\}}?")
_SCIENTIFIC = re.compile(rf"({_SIGNED})[eE]([+-]?[0-9]{{1,3}})")
_RATIO = re.compile(
    rf"([+-]?)\s*(?:([0-9]+)(?:\s*(?=\\)|\s+(?:and\s+)?))?"
    rf"(?:\\frac\s*\{{\s*({_SIGNED})\s*\}}\s*\{{\s*({_SIGNED})\s*\}}|({UNSIGNED})\s*/\s*({_SIGNED}))"
)
_WITH_UNIT = re.compile(r"(.*?[0-9.})])(\s*)((?:%|[A-Za-z(]).*)", re.DOTALL)
_SUM = re.compile(r"([0-9]+)\s*([a-zA-Z]+)\.?,?\s+(?:and\s+)?([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]+)")
_ARC = re.compile(r"([0-9]+)\s*degrees?\s*([0-9]+)\s*'\s*(?:([0-9]+)\s*(?:''|\"))?")
_FEET = re.compile(r"(?:([0-9]+)\s*'\s*)?([0-9]+)\s*(?:\"|'')")
_BELOW = re.compile(r"\s+(?:below|under|beneath)\s+(?:zero|0|freezing|sea[ -]level)", re.IGNORECASE)
_THOUSANDS = re.compile(r"([1-9][0-9]{0,2}(?:,[0-9]{3})+)")
_GLOSS = re.compile(r"\(\s*([A-Za-z]{2,}(?:[ '-][A-Za-z]+){0,3})\s*\)")
_READING = re.compile(
    r"\b(?:mod|modulo|base|not|or|and|approx\w*|rounded|about|negative|loss|lost|deficit|debt|owed|binary|octal|hexadecimal"
    r"|decimal|bin|hex|oct|nearest|max\w*|min|minimum|repeating|recurring|factorial)\b",
    re.IGNORECASE,
)
_CHANGING = re.compile(r"(?:squared|cubed|doubled|tripled|percent|per|less|minus|plus|below|under|to)\b", re.IGNORECASE)
_DIRECTION = re.compile(r"\b(?:down|west|south|left|below|under|behind|ago)$", re.IGNORECASE)
_HUNDREDTHS = frozenset({"percent", "cent"})
_STATED = re.compile(rf"-?\s*(?:\\frac\s*\{{\s*[0-9]+\s*\}}\s*\{{\s*[0-9]+\s*\}}|{UNSIGNED}(?:\s*/\s*[0-9]+)?)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact value and the unit it was written with, by its normal name.

    `count` is the number that a word after it changed (5 in `5 sixths`). A letter is a unit that may be a variable. A
    sum is `5 ft 3 in`, in its last unit.
    """

    value: Fraction
    unit: str | None = None
    count: Fraction | None = None
    is_letter: bool = False
    is_sum: bool = False


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
        return decimal(text)
    if REPEATING.search(text):
        return repeating(text)
    if power := _POWER.fullmatch(text) or _SCIENTIFIC.fullmatch(text):
        exponent = int(power[2])
        return decimal(power[1]) * Fraction(10) ** exponent if abs(exponent) <= MAX_EXPONENT else None
    return _parse_ratio(text)


@lru_cache(maxsize=4096)
def parse_quantity(text: str) -> Quantity | None:
    """Read a tidy answer as a number with an optional unit, or return None."""
    value = parse_number(text)
    if value is not None:
        return Quantity(value)
    if len(text) > MAX_LENGTH:
        return None
    if below := _BELOW.search(text):
        return _below(text, below)
    if text[:1].isalpha():
        numeral = read_numeral(re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text.lower()).split())
        return _measured(numeral) if numeral else None
    if parts := _SUM.fullmatch(text):
        return _sum(*parts.groups())
    if "'" in text or '"' in text:
        return _primed(text)
    match = _WITH_UNIT.fullmatch(text)
    value = parse_number(match[1]) if match else None
    return None if match is None or value is None else _with_words(value, match[2], match[3])


def is_grouped(text: str) -> bool:
    """Whether a text is a number with thousands commas, which may also be a list of numbers."""
    return bool(_THOUSANDS.fullmatch(text))


def compare_quantities(left: Quantity, right: Quantity, rule: AnswerRule) -> Verdict:
    """Compare exactly; the rule decides about a percent or cent sign on one side only, and about different units."""
    if (
        left.is_letter != right.is_letter
        and left.unit != right.unit
        and not (rule.units == "ignored" and left.unit and right.unit)
    ):
        if not (left.unit and right.unit):
            return Verdict.UNPARSED
        return _of_two_units(left, right, rule)
    if (left.is_sum and not right.unit) or (right.is_sum and not left.unit):
        return Verdict.UNPARSED
    if left.unit == right.unit or rule.units == "ignored":
        same = left.value == right.value
    elif "percent" in (left.unit, right.unit) and rule.percent != "undecided" and not (left.unit and right.unit):
        same = _without_percent(left, rule) == _without_percent(right, rule)
    elif left.unit and right.unit:
        return _of_two_units(left, right, rule)
    elif _HUNDREDTHS & {left.unit, right.unit}:
        near = left.value in (right.value, right.value * 100, right.value / 100)
        return Verdict.UNPARSED if near else Verdict.DIFFERENT
    else:
        same = left.value == right.value
    if not same and (left.count == right.value or right.count == left.value):
        return Verdict.UNPARSED  # `18 thousand` against 18: the question may ask for thousands
    return Verdict.EQUAL if same else Verdict.DIFFERENT


def numbers_within(text: str) -> set[Fraction]:
    """Return the numbers and fractions that occur anywhere in a text, with and without their sign."""
    found: set[Fraction] = set()
    for word in _STATED.findall(text):
        value = parse_number(word)
        if value is not None:
            found |= {value, -value}
    return found


def _of_two_units(left: Quantity, right: Quantity, rule: AnswerRule) -> Verdict:
    if left.unit is None or right.unit is None:
        raise ValueError("both quantities must have a unit")
    factor = ratio(left.unit, right.unit)
    if factor is None:
        return Verdict.UNPARSED
    if factor and left.value * factor == right.value:
        return Verdict.EQUAL if rule.units == "converted" else Verdict.UNPARSED
    return Verdict.DIFFERENT


def _below(text: str, below: re.Match[str]) -> Quantity | None:
    """`10 degrees below zero` is -10 degrees, unless the question asks how far below."""
    above = parse_quantity(text[: below.start()]) if below.end() == len(text) else None
    return above and replace(above, value=-above.value, count=above.value, is_letter=False)


def _sum(count: str, unit: str, more: str, last: str) -> Quantity | None:
    """`5 ft 3 in` as 63 inches."""
    whole, part = parse_quantity(f"{count} {unit}"), parse_quantity(f"{more} {last}")
    if not whole or not part or not whole.unit or not part.unit or whole.value < 0:
        return None
    factor = ratio(whole.unit, part.unit)
    if factor == 100 and part.unit == "cent":
        return Quantity(whole.value + part.value / 100, whole.unit)
    if factor is None or factor <= 1:
        return None
    return Quantity(whole.value * factor + part.value, part.unit, is_sum=True)


def _primed(text: str) -> Quantity | None:
    """`30 degrees 15'` in degrees, `5'3"` in inches."""
    if arc := _ARC.fullmatch(text):
        whole, minutes, seconds = (int(part or 0) for part in arc.groups())
        return Quantity(whole + Fraction(minutes, 60) + Fraction(seconds, 3600), "degree")
    feet = _FEET.fullmatch(text)
    if feet is None or not (feet[1] or text.endswith('"')):
        return None
    return Quantity(Fraction(12 * int(feet[1] or 0) + int(feet[2])), "inch", is_sum=feet[1] is not None)


def _with_words(value: Fraction, space: str, words: str) -> Quantity | None:
    """The quantity that a number and the words after it make."""
    unit = read_unit(words) or _gloss(words)
    if unit:
        return _of_unit(value, unit) if space or not words[0].isalpha() or is_symbol(words) else None
    if letter_unit(words):
        return Quantity(value, read_unit(words, letters=True), is_letter=True)
    numeral = scaled(value, re.sub(r"(?<=[a-z])-(?=[a-z])", " ", words.lower()).split())
    if numeral is None and (magnitude := re.fullmatch(r"([kK])\s+(dollars?|euro|sterling|rupee|yuan)", words)):
        numeral = Numeral(value * 1000, value, (magnitude[2],))
    return _measured(numeral) if numeral else None


def _gloss(words: str) -> str | None:
    """The words in brackets after a number, as in `15 (green dots)`, unless they say how to read it."""
    gloss = _GLOSS.fullmatch(words)
    if gloss is None or _READING.search(gloss[1]) or scaled(Fraction(1), gloss[1].lower().split()):
        return None
    return None if _CHANGING.match(gloss[1]) or _DIRECTION.search(gloss[1]) else gloss[0]


def _measured(numeral: Numeral) -> Quantity | None:
    rest = numeral.rest[1:] if numeral.rest[:1] == ("of",) else numeral.rest
    unit = read_unit(" ".join(rest)) if rest else None
    if rest and unit is None:
        return None
    return replace(_of_unit(numeral.value, unit), count=numeral.of)


def _of_unit(value: Fraction, unit: str | None) -> Quantity:
    return Quantity(value, None if unit == "unit" else unit)


def _without_percent(quantity: Quantity, rule: AnswerRule) -> Fraction:
    return quantity.value / 100 if quantity.unit == "percent" and rule.percent == "fraction" else quantity.value


def _strip_parentheses(text: str) -> str:
    while len(text) > 2 and text[0] == "(" and text[-1] == ")" and not set("(),") & set(text[1:-1]):
        text = text[1:-1].strip()
    return text


def _parse_ratio(text: str) -> Fraction | None:
    match = _RATIO.fullmatch(text)
    if match is None:
        return None
    sign, whole, *parts = match.groups()
    above, below = (decimal(part) for part in parts if part is not None)
    if below == 0:
        return None
    value = above / below
    if whole is not None:
        # Some write a product as `2 3/2`, so only a proper fraction makes a mixed number.
        if not 0 < value < 1:
            return None
        value += int(whole)
    return -value if sign == "-" else value
