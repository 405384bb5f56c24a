"""Number words: `twelve`, `two thirds`, `one and a half`, `5 sixths`, `2 dozen`, `1.5 million`.

Reads a numeral at the start of a list of words. A lone `third` or `second` may be an ordinal and is not read.
"""

from fractions import Fraction
from typing import NamedTuple

_UNITS = {
    word: value
    for value, word in enumerate(
        (
            *(
                "zero",
                "one",
                "two",
                "three",
                "four",
                "five",
                "six",
                "seven",
                "eight",
                "nine",
                "ten",
                "eleven",
                "twelve",
            ),
            *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
        )
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_SCALES = {
    "hundred": 10**2,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "quadrillion": 10**15,
    "quintillion": 10**18,
    "lakh": 10**5,
    "crore": 10**7,
}
_GROUPS = {"dozen": 12, "score": 20, "gross": 144, "grand": 1000, "ten": 10, "one": 1}
_ORDINALS = (
    *("third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth"),
    *("fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"),
)
_PARTS = (
    {"half": 2, "halve": 2, "quarter": 4, "hundredth": 100, "thousandth": 1000, "millionth": 10**6}
    | {"twentieth": 20, "thirtieth": 30, "fortieth": 40, "fiftieth": 50, "sixtieth": 60}
    | {word: value for value, word in enumerate(_ORDINALS, start=3)}
)


class Numeral(NamedTuple):
    """A value, the number `of` what its last word names (5 in `5 sixths`, or None), and the words left over."""

    value: Fraction
    of: Fraction | None
    rest: tuple[str, ...]


def read_numeral(words: list[str]) -> Numeral | None:
    """Read the number that a text in lower case begins with, without hyphens; None where it begins otherwise."""
    if words[:1] in (["minus"], ["negative"]):
        positive = read_numeral(words[1:])
        return positive and Numeral(-positive.value, positive.of, positive.rest)
    article = words[:1] in (["a"], ["an"], ["half"])
    count, used = (1, 1) if article else _cardinal(words)
    if not used:
        return None
    if words[0] == "half":
        return Numeral(Fraction(1, 2), None, tuple(words[1:])) if words[1:2] != ["a"] else None
    numeral = scaled(Fraction(count), words[used:])
    if numeral:
        return numeral
    if article:
        return None
    return _with_fraction(count, words[used:]) or Numeral(Fraction(count), None, tuple(words[used:]))


def scaled(count: Fraction, words: list[str]) -> Numeral | None:
    """The number that `count` and the word after it make (5 and `sixths`); None if that word is no part or multiple."""
    if not words:
        return None
    word = words[0]
    name = word if word in _PARTS or word in _SCALES or word in _GROUPS else word.removesuffix("s")
    rest = tuple(words[1:])
    if name in _PARTS:
        return Numeral(count / _PARTS[name], count, rest)
    if name in _SCALES:
        numeral = scaled(count * _SCALES[name], words[1:])  # three hundred million
        return numeral._replace(of=count) if numeral else Numeral(count * _SCALES[name], count, rest)
    if name in _GROUPS and (word != "one" and word != "ten"):
        return Numeral(count * _GROUPS[name], count, rest)
    return None


def _with_fraction(whole: int, words: list[str]) -> Numeral | None:
    """`one and a half`, `two and three quarters`: the words after the whole number."""
    if words[:1] != ["and"] or len(words) < 3:
        return None
    above, used = (1, 1) if words[1] in ("a", "an") else _cardinal(words[1:])
    part = scaled(Fraction(above), words[1 + used :]) if used else None
    if part is None or not 0 < part.value < 1:
        return None
    return Numeral(whole + part.value, None, part.rest)


def _cardinal(words: list[str]) -> tuple[int, int]:
    """The whole number that the words begin with and how many words it takes; 0 words if there is none."""
    total = current = used = 0
    last = ""
    for word in words:
        if word in _UNITS and (not last or last == "scale" or (last == "tens" and 0 < _UNITS[word] < 10)):
            current, last = current + _UNITS[word], "unit"
        elif word in _TENS and (not last or last == "scale"):
            current, last = current + _TENS[word], "tens"
        elif word == "hundred" and last == "unit" and 0 < current < 100:
            current, last = current * 100, "scale"
        elif word in _SCALES and word != "hundred" and last and (total == 0 or _SCALES[word] < total):
            total, current, last = total + current * _SCALES[word], 0, "scale"
        elif word == "and" and last == "scale" and _continues(words[used + 1 :]):
            pass
        else:
            break
        used += 1
    return total + current, used


def _continues(words: list[str]) -> bool:
    """Whether `and` is followed by the end of a whole number, not by a fraction of its own."""
    following = words[:1]
    if not following or following[0] not in _UNITS | _TENS:
        return False
    _, used = _cardinal(words)
    return scaled(Fraction(1), words[used:]) is None
