"""Answers in words: names, days of work, prose around a value.

Two single words that share no beginning are different; whether two phrases mean the same only a reader can tell.
"""

import re
from functools import lru_cache

from filters.answers.verdicts import Verdict

_COMMAND = re.compile(r"\\[a-zA-Z]+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_MATHEMATICS = re.compile(r"[0-9\\^=+*/<>|]")
_OPERATION = re.compile(r"[=+*/^<>|\\]|[0-9)]\s*-|-\s*[0-9(]")
_CARDINAL = (
    r"zero|none|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]+teen|twenty|thirty|forty|fifty|sixty"
    r"|seventy|eighty|ninety|hundreds?|thousands?|[a-z]*llions?|lakhs?|crores?|grand|score|dozens?|tens|pairs?|couples?"
)
_PART = (
    r"halves|half|thirds?|quarters?|(?:four|fif|six|seven|eigh|nin|ten|eleven|twelf|[a-z]+teen|[a-z]+tie|hundred)ths?"
)
_CHANGE = (
    r"percent|thousandths?|double[ds]?|tripled?|twice|once|squared|cubed|times|less|more|fewer|per|minus|plus|below|above"
    r"|under|over|ago|infinite|no|all|both|never|undefined|empty|real|nothing|single|alone|only|nobody|neither|either|week"
    r"|fortnight|trio|duo|unity|nil|null|cannot|impossible|exists?"
    r"|out|every|divided|multiplied|ratio|sum|product|difference|quotient|root|squares?|cubes?"
)
_NUMBER_WORD = re.compile(rf"\b(?:{_CARDINAL}|{_PART}|{_CHANGE})\b", re.IGNORECASE)
# Two letters are a product, unless they are one of these words.
_SHORT_WORDS = re.compile(r"(?:no|on|up|to|in|is|it|at|an|as|or|of|so|we|he|me|my|by|do|go|if|us)", re.IGNORECASE)
# Names of environments, subscripts, and the unit of an angle after a trigonometric function.
_NO_WORDS = re.compile(r"\\(?:begin|end)\s*\{[^{}]*\}|_\s*\{[^{}]*\}|(?<=[0-9]) ?degrees?(?= ?\))")
_ARTICLES = frozenset({"the", "an"})
# Words that may say the same as another word that looks nothing like it.
_SYNONYMS = re.compile(
    r"(?:none|never|impossible|nothing|undefined|infinite|infinity|unbounded|empty|diverge\w*|dne|equal|same|identical"
    r"|always|all|every|nobody|neither|both|either|yes|no|true|false|correct|incorrect|right|wrong|any|null|nil|zero)"
)
_PUNCTUATION = re.compile(r"[.,;:?\"'()]|(?<=\w\w)!$|(?<=\w)-(?=\w)")
_BEGINNING = 3


def compare_words(left: str, right: str) -> Verdict | None:
    """Compare where at least one side is words; None where neither is."""
    ours, theirs = is_words(left), is_words(right)
    if ours and theirs:
        return _same_words(left, right)
    if ours or theirs:
        words, rest = (left, right) if ours else (right, left)
        is_open = is_prose(rest) or says_a_number(words) or not is_word(words)
        return Verdict.UNPARSED if is_open else Verdict.DIFFERENT
    return Verdict.UNPARSED if is_prose(left) or is_prose(right) else None


def is_words(text: str) -> bool:
    """Whether a text is words without any mathematics."""
    if _MATHEMATICS.search(text):
        return False
    return any(len(word) > 2 or _SHORT_WORDS.fullmatch(word) for word in _WORD.findall(text))


def is_word(text: str) -> bool:
    """Whether a text is one word that is no synonym of many others."""
    words = _WORD.findall(text.casefold())
    return is_words(text) and len(words) == 1 and not _SYNONYMS.fullmatch(words[0])


@lru_cache(maxsize=4096)
def is_prose(text: str) -> bool:
    """Whether a text has words in it, perhaps around mathematics."""
    if is_words(text):
        return True
    words = _WORD.findall(_COMMAND.sub(" ", _NO_WORDS.sub(" ", text)))
    return any(len(word) > 3 or (len(word) > 2 and not word.isupper()) for word in words)


def says_a_number(text: str) -> bool:
    """Whether a text has a number word or an operation in it, so it may state a number that is not in its digits."""
    return bool(_NUMBER_WORD.search(text) or _OPERATION.search(text))


def _same_words(left: str, right: str) -> Verdict:
    if _plain(left) == _plain(right):
        return Verdict.EQUAL
    ours, theirs = (_WORD.findall(side.casefold()) for side in (left, right))
    if len(ours) == len(theirs) == 1 and not (_SYNONYMS.fullmatch(ours[0]) and _SYNONYMS.fullmatch(theirs[0])):
        alike = ours[0][:_BEGINNING] == theirs[0][:_BEGINNING]
        return Verdict.UNPARSED if alike else Verdict.DIFFERENT
    return Verdict.UNPARSED


def _plain(text: str) -> list[str]:
    """The words of a text without articles and punctuation, except what may mean something, such as `%`."""
    words = _PUNCTUATION.sub(" ", text.casefold()).split()
    words = words[1:] if words[:1] == ["a"] and len(words) > 1 else words
    return [word for word in words if word not in _ARTICLES] or words
