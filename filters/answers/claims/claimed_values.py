r"""Reads the value that a statement names: what stands after "the answer is", up to the end of the sentence.

Words that plainly do not belong to the value are cut (`3/4 of the cake`, `12, because ...`); a unit stays. Looks at a
bounded number of characters, however long the text is.
"""

import re
from dataclasses import dataclass

from filters.answers.claims.languages import LANGUAGES

MAX_VALUE = 400

_FILLERS = "|".join(language.fillers for language in LANGUAGES.values())
_TAILS = "|".join(language.tails for language in LANGUAGES.values())
_LEADING = re.compile(rf"(?:[\s}}*_`\"“”„«‘:：,，]|=(?!=)|'(?!\w)|\\(?=\s)|(?:{_FILLERS}))+", re.IGNORECASE)
_ROUNDED = re.compile(r"\b(?:approximately|about|roughly|around)\b|≈|\\approx", re.IGNORECASE)
_DISPLAY = re.compile(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]", re.DOTALL)
_INLINE = r"(?:\$(?![\s$])[^$\n]{1,300}?(?<![\s\\])\$(?![0-9])|\\\([^\n]{1,300}?\\\))"
_FORMULAS = re.compile(
    rf"{_INLINE}(?:\s*(?:,|;|、|，|\b(?:and|or|und|et|y|e|и)\b|和|或)+\s*(?:{_INLINE}"
    rf"|-?[0-9][0-9.,]*(?![\w.])))*"
)
_ABBREVIATION = re.compile(
    r"(?:\b[a-z]\.\s?[a-z]|\b(?:approx|vs|etc|sq|cu|ft|in|oz|lbs?|hrs?|mins?|secs?|yds?|mi|rs))\.$",
    re.IGNORECASE,
)
_END = re.compile(r"[.!?](?=[\s*_\"”'`)\]<]|$)|[。！？｡؟।]|\n|;(?=\s)|</|<\|")
_NOT_SENTENCE_END = re.compile(r"\s*[a-z0-9=+*/^-]")
_CONNECTIVE = re.compile(rf" ?[,，、]? ?[(\[]?(?<![\w\\])(?:{_TAILS})", re.IGNORECASE)
_REASON = re.compile(
    r"[,，、]? ?(?<![\w\\])(?:because|since|weil|denn|parce que|porque|ya que|потому что|так как|perché|poiché|omdat)\b"
    r"|[,，、]?(?:因为|由于|なぜなら|왜냐하면)",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r" ?[,，、] ?(?=[^\W\d_]{2,} [^\W\d_]{2,})(?!and\b|or\b)| [-–—] (?=[^\W\d_]{2,} [^\W\d_]{2,})| (?=of [a-z])"
    r"| ?[(（](?=i\.e|since|because|or\b|which|rounded|as\b)",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"(?<=[0-9)}$])\s*[个個只本人名张條条块岁天次种頭头件枚辆棵支朵匹冊개명].*$|(?:です|である|でした|(?:に|と)なります|となる|입니다|이다|이에요|예요|\s+है)$"
)
_SCALE = re.compile(
    r"\s*(?:\\?[%％]|percent|pct|hundred|thousand|million|billion|trillion|dozen|°|degrees)",
    re.IGNORECASE,
)
_CHANGES_VALUE = re.compile(
    r"[0-9\\$^/*=<>+]|\b(?:hal(?:f|ves)|thirds?|quarters?|[a-z]+(?:f|s|n|v|x|en|gh|ie)ths?"
    r"|hundredths?|tenths?|percent\w*|pct|hundreds?"
    r"|thousands?|[mbtr]+illions?|dozens?|score|pairs?|squared?|cubed?|cubic|factorial|times|plus"
    r"|minus|more|less|fewer|below|above|under"
    r"|over|before|after|ago|negative|mod|modulo|base|remainder|and|or|to|by|per|degrees?|than|from"
    r"|past|each|with)\b",
    re.IGNORECASE,
)
_CLOSING = ' \t\r\n*_`"“”„«»’,:;，：；、'
_ENTRY = re.compile(
    r"(?:[-+−–±~≈√(\[{$€£¥|]|\\[$€£({\[]|\\\()*\s*(?:[-+−±]\s*)?(?:[0-9٠-٩०-९½⅓⅔¼¾∞π√∅]|\.[0-9]|\\[a-zA-Z({]"
    r"|(?:sqrt|sin|cos|tan|cot|sec|csc|ln|log|exp|pi|lcm|gcd|max|min|arc[a-z]+)(?![a-z])"
    r"|[a-zA-Z](?=\s*(?:$|[-+*/^=<>_.,:;)(\[\]|{}0-9\\$]))|[a-zA-Z]\w{0,3}\s*(?:\([a-z]\)\s*)?=)"
)
_BOX = re.compile(r"\$*\s*\\(?:boxed|fbox|framebox)(?![a-zA-Z])")
_BUT = re.compile(
    r"(?:not(?! only)|nicht(?! nur)|pas|no)\s[^.;!?\n]{1,40}?,?\s"
    r"(?:but|sondern|mais|sino)\s+(?:rather\s+|actually\s+)?",
    re.IGNORECASE,
)
_NEGATED = re.compile(r"(?:not|never|neither|nicht|nie|pas|no es|non è|не)\b|不是|ではない|n't\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ClaimedValue:
    """A value, where its statement ends, and whether it is mathematics or a choice, rounded, on a line below."""

    text: str
    end: int
    is_mathematics: bool
    is_rounded: bool = False
    is_below: bool = False


def value_after(text: str, at: int) -> ClaimedValue | None:
    """Read the value that begins at `at`, or on the next line that holds something; None if none is stated."""
    window = text[at : at + MAX_VALUE]
    leading = _LEADING.match(window)
    start = leading.end() if leading else 0
    if negated := _BUT.match(window, start):  # "not 5, but 6"
        start = negated.end()
    rest = window[start:]
    if _BOX.match(rest):
        return None  # a box is a claim of its own, and one that is cut off is none
    if display := _DISPLAY.match(rest):
        value, end = display[1] or display[2], display.end()
    else:
        stretch, end, is_question = _sentence(rest)
        if is_question or _NEGATED.match(stretch):
            return None
        value = cut(stretch)
    value = tidy_end(value)
    if not value:
        return None
    is_rounded = bool(_ROUNDED.search(window[:start]) or _ROUNDED.match(value))
    return ClaimedValue(value, at + start + end, is_mathematics(value), is_rounded, "\n" in window[:start])


def is_mathematics(value: str) -> bool:
    """Whether a value begins as mathematics or a choice does, rather than as prose."""
    return bool(_ENTRY.match(value))


def _sentence(rest: str) -> tuple[str, int, bool]:
    """The rest of the sentence, where it ends, and whether it asks."""
    for end in _END.finditer(rest):
        goes_on = _NOT_SENTENCE_END.match(rest, end.end())
        if end[0] == "." and goes_on and _ABBREVIATION.search(rest[: end.end()]):
            continue
        if end[0] == "!" and goes_on and rest[goes_on.end() - 1] in "=+*/^-":
            continue
        keeps_dot = end[0] == "." and _ABBREVIATION.search(rest[: end.end()])
        return rest[: end.end() if keeps_dot else end.start()], end.start(), end[0] in "?？؟"
    return rest, len(rest), False


def cut(stretch: str) -> str:
    """A stretch of a sentence without the words that plainly follow its value."""
    stretch = " ".join(stretch.split())
    formulas = _FORMULAS.match(stretch)
    if formulas:
        return formulas[0] + _unit(stretch[formulas.end() :])
    ends = (
        [_CONNECTIVE.search(stretch, 1), _ASIDE.search(stretch, 1)]
        if is_mathematics(stretch)
        else [_REASON.search(stretch, 1)]
    )
    value = stretch[: min((found.start() for found in ends if found), default=len(stretch))]
    value = _COUNTED.sub("", value.strip())
    return value if value.strip() else stretch


def _unit(tail: str) -> str:
    """What follows a formula, if it may be a unit or change the value; the words of a sentence are dropped."""
    ends = [_CONNECTIVE.search(tail), _ASIDE.search(tail)]
    tail = tail[: min((found.start() for found in ends if found), default=len(tail))]
    tail = _COUNTED.sub("", "$" + tail)[1:]
    is_kept = len(tail.split()) <= 1 or _SCALE.match(tail) or _CHANGES_VALUE.search(tail)
    return tail if is_kept else ""


def tidy_end(value: str) -> str:
    """A value without the marks of its sentence around it."""
    before = None
    while value != before:
        before = value
        value = value.strip(_CLOSING)
        if not _ABBREVIATION.search(value[-12:]):
            value = value.rstrip(".。！")
        for opening, closing in (("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")):
            is_paired = value.count("$") % 2 == 0 if closing == "$" else opening in value
            if value.endswith(closing) and not is_paired and (closing != "$" or value[:1] != "$"):
                value = value[: -len(closing)]
    return value
