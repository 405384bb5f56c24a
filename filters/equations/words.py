"""Words that matter to an equation: which stand for a number or an operation, and which may be a unit of one."""

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A number or a formula beside one of these is a part of something else: "twice 3", "5 more than 4", "3 dozen".
_VALUES = _words(
    """
    half halves third thirds quarter quarters fourth fourths fifth fifths sixth sixths seventh sevenths eighth
    eighths ninth ninths tenth tenths hundredth hundredths thousandth thousandths dozen dozens score hundred
    hundreds thousand thousands million millions billion billions trillion k twice thrice double doubled triple
    tripled quadruple one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety plus minus times
    over divided multiplied multiply divide product quotient squared cubed square-root cube sqrt root log ln exp
    sin cos tan cot sec csc arcsin arccos arctan lg gcd gcf lcm max min mod modulo modulus rem remainder
    remainders floor ceil ceiling abs det choose point than digit digits reciprocal inverse opposite average
    mean median mode logarithm magnitude conjugate square cube divisor multiple negative factorial percent
    percentage pi theta alpha beta gamma delta lambda phi tau omega sigma mu rho infinity subtract subtracted
    subtracting add adding added power
    """
)
_JOINING = _words(
    """
    and or but so then thus therefore hence which because since that is are was were be has have had gives give
    makes make equals equal to from by with without if when while as it he she they we i you this these those
    there not no after before where get gets got into leaves leaving total totals also now next finally
    """
)
_NOISE = _words(
    """
    per each every a an the of in on at for total more extra other her his their its my our
    """
)
_MULTIPLIERS = ("万", "千", "百", "十", "亿", "半", "倍", "分之", "余")
_GLUED_UNITS = _words(
    """
    kg km cm mm ml mg lb lbs oz ft mi min mins hr hrs mph kph gb mb tb kb kwh cents cent sec secs in yd yds gal
    pts pt am pm degree days hours years weeks miles feet people
    """
)
MEASURES = _words(
    """
    second minute hour day week fortnight month year decade century inch foot yard mile meter metre centimeter
    millimeter kilometer cm mm km m gram kilogram milligram kg g mg pound lb ounce oz ton tonne stone liter
    litre milliliter ml l gallon quart pint cup tablespoon teaspoon fluid cent penny nickel dime quarter dollar
    $ ¢ £ € buck degree radian byte kb mb gb tb sec min hr mph kph acre hectare pair % case pack box bag carton
    """
)
SPOKEN_SIGNS = {"plus": "+", "minus": "-", "times": "*"}
SPOKEN_PARTS = {"divided": "/", "multiplied": "*"}  # followed by "by"
SPOKEN_RELATIONS = frozenset({"is", "equals", "makes", "gives"})
_ASCII_LETTER = re.compile(r"[A-Za-z\u0370-\u03ff]")


def changes_value(word: str) -> bool:
    """Whether a number beside this word does not stand for itself: "dozen", "half", "than"."""
    word = word.casefold()
    parts = word.split("-")
    return any(part in _VALUES for part in parts) or word.startswith(_MULTIPLIERS)


def is_letter(word: str) -> bool:
    """Whether a word is a variable rather than a word; the pronoun "I" is none."""
    return (len(word) == 1 and word.isascii() and word != "I") or word.startswith(("_", "|")) or not word[:1].isalpha()


def is_unit(word: str) -> bool:
    """Whether a word after a number may be its unit or a part of it."""
    return not is_letter(word) and not changes_value(word) and word.casefold() not in _JOINING


def is_glued_unit(word: str) -> bool:
    """Whether letters right after a digit are a unit, unlike the letters of `2ab`."""
    return word.casefold() in _GLUED_UNITS or not _ASCII_LETTER.search(word)


def ends_in_letter(word: str) -> bool:
    """Whether a word ends in a letter that a digit glued to it continues, as in `x2`."""
    return bool(_ASCII_LETTER.search(word[-1:]))


def unit_names(words: list[str]) -> frozenset[str]:
    """The words that name a unit, in the singular."""
    return frozenset(_singular(word.casefold()) for word in words if word.casefold() not in _NOISE)


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    irregular = {"feet": "foot", "people": "person", "children": "child", "men": "man", "women": "woman"}
    return irregular.get(word, word.removesuffix("s") if len(word) > 3 and not word.endswith("ss") else word)
