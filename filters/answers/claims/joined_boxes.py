r"""Says whether a text joins two boxes in one conclusion, and whether two boxes hold the same number.

`\boxed{3}, \boxed{5}` and `x = \boxed{3} and y = \boxed{4}` are one conclusion each; a statement with a conclusion of
its own, a second attempt or a retraction between two boxes keeps them apart.
"""

import re
from fractions import Fraction

MAX_BETWEEN = 160
MAX_NUMBER = 200  # characters; Python itself reads no whole number of more than 4,300 digits

_MATH_MARKS = re.compile(
    r"\$|\\[()\[\]]|\\(?:q?quad|text(?:bf|it)?|mathrm|mbox|left|right)(?![a-zA-Z])|\\[ ,;:!]|[{}~*]|&(?=\s*\w)"
)
_NAME = re.compile(r"[a-zA-Z\\][a-zA-Z0-9\\_^'′]{0,12}(?:\([^()]{1,12}\))?\s*(?:=|≈|\\approx|\\in)(?![=\w])")
_ITEM = re.compile(
    r"\s?[.,;]?(?:\s*\n\s*(?:\(?(?:[a-z]|[ivx]{1,4}|[0-9]{1,2})[.)]|[-•])|\s*\((?:[a-z]"
    r"|[ivx]{1,4})\))(?:\s+|$)"
)
_JOINER = re.compile(r"[,;、，；&]|\\\\|\b(?:and|or|und|oder|et|ou|y|o|e|и|или)\b|[和与或及と]", re.IGNORECASE)
_APART = re.compile(
    r"\b(?:so|thus|hence|therefore|then|which|gives?|giving|because|since|no|not|wait|but|check"
    r"|actually|alternatively"
    r"|instead|rather|total|sum|product|altogether|finally|also|again|verify|means?|meaning|simplif\w*|round\w*|daher"
    r"|donc|luego|quindi|logo|итак|значит)\b|[.!?](?:\s|$)|[。！？]|因此|所以|从而|故|不对|よって",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"([-−]?)(?:([0-9]+)?\s*\\[dt]?frac\s*\{?([0-9]+)\}?\s*\{?([0-9]+)\}?|([0-9]+)/([0-9]+)|([0-9]*\.?[0-9]+))"
)
_CALCULATES = re.compile(r"[=<>+/0-9]")


def joins(between: str) -> bool:
    """Whether two boxes with `between` them are values of one conclusion."""
    if len(between) > MAX_BETWEEN:
        return False
    plain = _MATH_MARKS.sub(" ", between).strip(" ")
    if not plain.strip():
        return plain.count("\n") < 2
    if item := _ITEM.match(plain):
        return _is_lead(plain[item.end() :])
    joiner = _JOINER.search(plain)
    if joiner is None:
        return False
    units, lead = plain[: joiner.start()], plain[joiner.end() :]
    is_short = len(units.split()) <= 3 and len(lead.split()) <= 8
    return is_short and not _APART.search(units) and not _CALCULATES.search(units) and _is_lead(lead)


def _is_lead(lead: str) -> bool:
    """Whether it only leads to the next value: a joining word, a name, a few words."""
    rest = _JOINER.sub(" ", _NAME.sub(" ", lead))
    return len(rest.split()) <= 6 and not _APART.search(lead) and not _CALCULATES.search(rest)


def value_key(value: str) -> Fraction | str:
    """What two forms of one number share; the text without its spaces where it is not plainly a number."""
    number = _NUMBER.fullmatch(value.replace(",", "") if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", value) else value)
    if number is None or len(value) > MAX_NUMBER:
        return "".join(value.split())
    sign, whole, above, below, over, under, decimal = number.groups()
    above, below = above or over, below or under
    if below and not int(below):
        return "".join(value.split())
    size = Fraction(int(whole or 0)) + Fraction(int(above), int(below)) if above else Fraction(decimal)
    return -size if sign else size
