r"""Stock phrases: that there is no solution, that something is undefined, yes and no, all real numbers.

Each phrase has a meaning; two texts with the same meaning are equal, and only yes and no, true and false exclude
each other. That no real root exists and that no integer root exists is not the same.
"""

import re
from functools import lru_cache

from filters.answers.kinds.quantities import Quantity
from filters.answers.verdicts import Verdict

_SUBJECT = (
    r"(?:(?:so|thus|therefore|hence),? )?(?:there (?:is|are|exists?|exist) |(?:the |this |that )?(?:equation|system|"
    r"inequality|problem|it) (?:has |have )|has |have |it is |they are )?"
)
_IS = (
    r"(?:it|they|he|she|we|you|there|that|this|i) (?:is|are|was|were|do|does|did|can|could|will|would|has|have|should)"
)
_REFERENT = (
    r"(?:the )?(?:\w+ )?(?:limit|value|expression|function|integral|derivative|slope|answer|inverse|it|is) (?:is )?"
)
_KINDS = "(?P<kind>real|integer|integral|rational|complex|positive)"
_MEANINGS = tuple(
    (meaning, re.compile(pattern))
    for meaning, pattern in (
        (
            "no solution",
            rf"none|{_SUBJECT}(?:no|zero|not any) {_KINDS}? ?(?:solutions?|roots?)(?: exists?)?|none exists?"
            r"|no solutions? found|(?:has )?no answers?",
        ),
        ("empty set", r"\\emptyset|(?:the )?(?:empty|null) set|empty"),
        (
            "does not exist",
            rf"(?:{_REFERENT})?(?:does not exist|doesn't exist|do not exist|don't exist|not exist|dne)",
        ),
        ("undefined", rf"(?:{_REFERENT})?(?:undefined|not defined|is not defined)"),
        (
            "infinitely many",
            rf"{_SUBJECT}(?:infinitely many|infinite|an infinite number(?: of)?|an infinity of|infinite number of"
            r"|infinite many)(?: (?:solutions?|roots?|answers?))?|\\infty",
        ),
        ("yes", rf"yes|yeah|yep|yup|yes,? {_IS}"),
        ("no", rf"no|nope|nah|no,? {_IS}(?:n't| not)"),
        ("true", r"(?:it is |that is |this is |the statement is )?true"),
        ("false", r"(?:it is |that is |this is |the statement is )?false"),
    )
)
_ALL_REALS = re.compile(
    r"(?:[a-zA-Z] (?:can be |is |= ?)?)?(?:all|any|every) (?:of the )?(?:real numbers?|reals?)"
    r"(?: (?:values? )?(?:of )?[a-z])?|(?:the )?(?:set of )?(?:all )?real numbers|(?:[a-zA-Z] ?\\in ?)?\\mathbb\{R\}"
    r"|(?:all|any|every) real (?:values? of )?[a-z]",
    re.IGNORECASE,
)
_EXCEPT = re.compile(r"(.*?),? (?:except|excluding|other than|but not)(?: for)? (?:[a-z] ?= ?)?([-0-9\\{}/., andor]+)")
_EXCLUSIVE = ({"yes", "no"}, {"true", "false"})
_TRUTHS = frozenset({"yes", "no", "true", "false"})
_OPEN = _TRUTHS | {"infinitely many"}
_COUNTS = frozenset({"no solution", "infinitely many", "empty set"})
LONGEST = 60


def all_reals(text: str) -> str:
    r"""The interval that `all real numbers` or `\mathbb{R}` stands for; any other text unchanged."""
    if len(text) > LONGEST:
        return text
    if _ALL_REALS.fullmatch(text):
        return r"(-\infty,\infty)"
    exception = _EXCEPT.fullmatch(text)
    if exception is None or not _ALL_REALS.fullmatch(exception[1]):
        return text
    return rf"(-\infty,\infty) \setminus \{{{re.sub(r' (?:and|or) ', ',', exception[2])}\}}"


def compare_phrases(left: str, right: str, quantities: tuple[Quantity | None, Quantity | None]) -> Verdict | None:
    """Compare where at least one side is a stock phrase; `quantities` are the two sides as numbers, where they are."""
    ours, theirs = _meaning(left), _meaning(right)
    if ours is None and theirs is None:
        return None
    if ours and theirs:
        if ours[0] != theirs[0]:
            return Verdict.DIFFERENT if {ours[0], theirs[0]} in _EXCLUSIVE else Verdict.UNPARSED
        return Verdict.UNPARSED if ours[1] and theirs[1] and ours[1] != theirs[1] else Verdict.EQUAL
    quantity = quantities[1] if ours else quantities[0]
    phrase = ours or theirs
    if phrase is None:
        return None
    if quantity is None:
        return None if phrase[0] in _OPEN else Verdict.UNPARSED
    is_truth_as_number = phrase[0] in _TRUTHS and quantity.value in (0, 1)
    is_count = phrase[0] in _COUNTS and quantity.value == 0
    return Verdict.UNPARSED if is_truth_as_number or is_count else Verdict.DIFFERENT


@lru_cache(maxsize=4096)
def _meaning(text: str) -> tuple[str, str | None] | None:
    """The meaning of a stock phrase, and the kind of solution that it speaks of."""
    if len(text) > LONGEST:
        return None
    text = text.casefold().strip("\"'. ()")
    for meaning, pattern in _MEANINGS:
        if match := pattern.fullmatch(text):
            return meaning, match["kind"] if "kind" in match.groupdict() else None
    return None
