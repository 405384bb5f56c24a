r"""Units after a number: names and symbols of measures, currencies, and nouns that are counted.

A word that is in no list is no unit, so `5 sixths` is never 5. Conversion is exact, by pint.
"""

import re
from fractions import Fraction
from functools import lru_cache
from typing import Any

from filters.answers.kinds.nouns import ADJECTIVES, COUNTED, TRAILING

# The name of each measure, as pint spells it, with the other names that people write.
_NAMES = {
    "meter": "metre m",
    "millimeter": "millimetre mm",
    "centimeter": "centimetre cm",
    "decimeter": "decimetre dm",
    "kilometer": "kilometre km kms",
    "nanometer": "nanometre nm",
    "micrometer": "micrometre micron",
    "inch": "inches in",
    "foot": "feet ft",
    "yard": "yd",
    "mile": "mi",
    "light_year": "lightyear",
    "gram": "gramme g gm gms",
    "kilogram": "kilogramme kilo kg kgs",
    "milligram": "mg",
    "pound": "lb lbs",
    "ounce": "oz",
    "tonne": "",
    "ton": "",
    "second": "sec secs s",
    "minute": "min mins",
    "hour": "hr hrs h",
    "day": "",
    "week": "wk wks",
    "month": "",
    "year": "yr yrs",
    "millisecond": "ms",
    "decade": "",
    "century": "centuries",
    "liter": "litre l L",
    "milliliter": "millilitre ml mL",
    "gallon": "gal",
    "quart": "qt",
    "pint": "",
    "cup": "",
    "teaspoon": "tsp",
    "tablespoon": "tbsp",
    "hectare": "",
    "acre": "",
    "hertz": "Hz",
    "kilohertz": "kHz",
    "megahertz": "MHz",
    "newton": "N",
    "kilonewton": "kN",
    "joule": "J",
    "kilojoule": "kJ",
    "megajoule": "MJ",
    "electron_volt": "eV electronvolt",
    "watt": "W",
    "kilowatt": "kW",
    "megawatt": "MW",
    "volt": "V",
    "kilovolt": "kV",
    "millivolt": "mV",
    "ampere": "amp A",
    "milliampere": "mA",
    "ohm": "",
    "pascal": "Pa",
    "kilopascal": "kPa",
    "kelvin": "K",
    "mole": "mol mols",
    "calorie": "cal",
    "kilocalorie": "kcal",
    "byte": "",
    "kilobyte": "KB kB",
    "megabyte": "MB",
    "gigabyte": "GB",
    "terabyte": "TB",
    "bit": "",
    "atmosphere": "atm",
    "degree": "deg",
    "degree_celsius": "",
    "degree_fahrenheit": "",
    "radian": "rad rads",
    "mile/hour": "mph",
    "kilometer/hour": "kph kmph kmh",
    "percent": "% percentage pct",
    "dollar": "USD usd buck",
    "cent": "",
    "euro": "EUR eur",
    "yuan": "rmb RMB CNY",
    "yen": "JPY",
    "rupee": "rs rs. Rs Rs. INR",
    "sterling": "GBP",
    "ordinal": "th st nd rd",
}
CURRENCIES = frozenset({"dollar", "cent", "euro", "yuan", "yen", "rupee", "sterling"})
# What has no exact factor to anything else: scales with an offset, angles (pi), words with several meanings.
_CONVENTIONS = frozenset({"percent", "ordinal", "degree_celsius", "degree_fahrenheit", "degree", "radian", "ton"})
_CALENDAR = frozenset({"month", "year", "decade", "century"})
_NAME_OF = {spelling: name for name, others in _NAMES.items() for spelling in (name, *others.split())}
# Symbols of one letter are units after text in roman type or in a compound such as `m/s`; elsewhere they are variables.
LETTERS = frozenset(spelling for spelling in _NAME_OF if len(spelling) == 1 and spelling.isalpha())
_MEGA = frozenset({"Mg", "Mm", "Ms"})  # not the milligram, nor the others of a small letter
_LONGEST_SYMBOL = 4
_POWER = re.compile(r"\s*(?:\^\s*\{?\s*([23])\s*\}?|\b(squared|cubed)$)\s*$")
_SHAPE = re.compile(r"(?:(square|sq\.?|cubic|cu\.?)\s+)(.*)", re.IGNORECASE)
_TEMPERATURE = re.compile(r"degrees?\s*(C|F|[Cc]elsius|[Ff]ahrenheit|[Cc]entigrade)")
_PER = re.compile(r"\s*/\s*|\s+per\s+|\s+an?\s+(?=hour|minute|second|day|week|month|year)")
_INVERSE = re.compile(r"([A-Za-z]+)\s*\^\s*\{?\s*-\s*([123])\s*\}?")


def read_unit(text: str, *, letters: bool = False) -> str | None:
    """The normal name of a unit, or None if the text is no unit; with `letters`, `m` alone counts as one."""
    text = text.strip().rstrip(".")
    if text[:1] == "(" and text[-1:] == ")":
        text = text[1:-1].strip()
    text = TRAILING.sub("", text)
    if not text or len(text) > 60:
        return None
    text = _without_inverses(text)
    parts = _PER.split(text)
    if len(parts) == 1:
        return _factor(text, letters)
    if len(parts) > 2:
        return None
    letters = (
        letters
        or text.replace(" ", "") in ("m/s", "m/s^2", "N/m", "V/m", "J/s")
        or any(len(re.split(r"[\s^]", part, maxsplit=1)[0]) > 1 for part in parts)
    )
    above, below = (_factor(part, letters) for part in parts)
    return f"{above}/{below}" if above and below else None


def is_symbol(text: str) -> bool:
    """Whether a text is a unit that may stand next to its number without a space, such as `cm` or `km/h`."""
    names = [_POWER.sub("", part).strip() for part in _PER.split(text)]
    return all(name in _NAME_OF and len(name) <= _LONGEST_SYMBOL for name in names) or names[0].startswith("degree")


def letter_unit(text: str) -> bool:
    """Whether a text is one letter that is the symbol of a unit, perhaps raised to a power."""
    return _POWER.sub("", text).strip() in LETTERS


def ratio(unit: str, other: str) -> Fraction | None:
    """How many of `other` make one `unit`, exactly; 0 where they measure unlike things, None where it is not known."""
    if {unit, other} == {"dollar", "cent"}:
        return Fraction(100) if unit == "dollar" else Fraction(1, 100)
    if not (_is_measure(unit) and _is_measure(other)):
        return None
    if bool(_CALENDAR & set(_names(unit))) != bool(_CALENDAR & set(_names(other))):
        return None  # a year has no fixed number of days
    registry = _registry()
    ours, theirs = registry.Quantity(Fraction(1), unit.replace("^", "**")), registry.Unit(other.replace("^", "**"))
    if not ours.is_compatible_with(theirs):
        return Fraction(0)
    return Fraction(ours.to(theirs).magnitude)


def _is_measure(unit: str) -> bool:
    return all(name in _NAMES and name not in _CONVENTIONS | CURRENCIES for name in _names(unit))


def _names(unit: str) -> list[str]:
    return [re.sub(r"\^[0-9]$", "", part) for part in unit.split("/")]


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint  # takes a quarter of a second, and few answers need it

    return pint.UnitRegistry(non_int_type=Fraction)


def _without_inverses(text: str) -> str:
    r"""`m s^{-1}` as `m/s`."""
    match = re.fullmatch(rf"(.+?)(?:\s|\\cdot)\s*{_INVERSE.pattern}", text)
    if match is None:
        return text
    return f"{match[1]}/{match[2]}" + (f"^{match[3]}" if match[3] != "1" else "")


def _factor(text: str, letters: bool) -> str | None:
    """One unit with an optional power: `square meters`, `cm^2`, `feet`."""
    if temperature := _TEMPERATURE.fullmatch(text):
        return "degree_fahrenheit" if temperature[1][0] in "Ff" else "degree_celsius"
    power = ""
    if raised := _POWER.search(text):
        power = "^2" if raised[1] == "2" or raised[2] == "squared" else "^3"
        text = text[: raised.start()]
    if shaped := _SHAPE.fullmatch(text.strip()):
        power = "^3" if shaped[1].lower().startswith("cu") else "^2"
        text = shaped[2]
    name = _name(text.strip(), letters)
    if name == "unit":
        power = ""  # `12 square units` is 12 without a unit of a measure
    return name and name + power


def _name(text: str, letters: bool) -> str | None:
    if text in _NAME_OF:
        return _NAME_OF[text] if len(text) > 1 or text == "%" or letters else None
    if text in _MEGA:
        return None
    words = text.lower().rstrip(".").split()
    if words == ["per", "cent"] or words == ["percentage", "points"]:
        return "percent" if words[0] == "per" else None
    if not 1 <= len(words) <= 3:
        return None
    singulars = [_singular(word) for word in words]
    if len(words) == 1:
        word = words[0]
        for form in (singulars[0], word, word.removesuffix("s"), word.removesuffix("es")):
            if form in _NAME_OF and len(form) > 1:
                return _NAME_OF[form]
    return " ".join(singulars) if _is_counted(singulars) else None


def _is_counted(words: list[str]) -> bool:
    """Whether the words are a counted noun, perhaps with adjectives."""
    return words[-1] in COUNTED and all(word in COUNTED or word in ADJECTIVES for word in words)


def _singular(word: str) -> str:
    irregular = {"people": "person", "children": "child", "men": "man", "women": "woman", "mice": "mouse"}
    irregular |= {"knives": "knife", "leaves": "leaf", "loaves": "loaf", "shelves": "shelf", "vertices": "vertex"}
    irregular |= {"feet": "foot", "geese": "goose", "teeth": "tooth", "inches": "inch", "dice": "die", "halves": ""}
    if word in irregular:
        return irregular[word]
    for ending, new in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("sses", "ss"), ("xes", "x"), ("oes", "o")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word.removesuffix(ending) + new
    return word.removesuffix("s") if len(word) > 3 and not word.endswith("ss") else word
