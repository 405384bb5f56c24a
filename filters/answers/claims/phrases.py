"""Finds the statements of a text that name its answer in words: "the answer is 12", "Answer: 12", 答案是 12.

The words are those of `filters.answers.claims.languages`. A condition, a question or a negation names none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from filters.answers.claims.claimed_values import ClaimedValue, value_after
from filters.answers.claims.fields import before_noun, fields_of
from filters.answers.claims.languages import LANGUAGES, Language

MAX_BEFORE = 60
MAX_WORDS = 12
MAX_MARKS = 50

_LINK = r"(?:\*\*|__|\$)?\s*(?:\*\*|__)?\s*(?:{links}|[:：＝]|[-=]+>|[→⇒=]|[-–—](?=\s))"
_LINE_START = re.compile(
    r"(?:^|\n)[\s#*_>|-]*(?:[0-9]{1,2}[.)]\s*)?(?:\*\*|__)?(?:the |my |our )?(?:final |correct )?$",
    re.IGNORECASE,
)
_HEADING_END = re.compile(r"(?:\s*(?:\*\*|__|[:：])){0,3}[ \t]*\n")
_OPENERS = re.compile(
    r"\W*(?:(?:so|thus|therefore|hence|then|wait|no|actually|but|and|finally|okay|ok|yes|now|in"
    r"|conclusion|consequently|sorry"
    r"|correction|the|our|my|final|correct|right|exact|step|[0-9]+)\b\W*)*",
    re.IGNORECASE,
)
_ANSWER_LINE = re.compile(r"(?:^|\n)[ \t]*(?:\*\*)?A(?:\*\*)?[ \t]*:(?:\*\*)?(?=[ \t]*[^\s])")
_ONE_NUMBER = re.compile(r"[-−]?(?:\\?[$€£])?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?(?:/[0-9]+)?\s*\\?%?")
# Words that make of the one number of a sentence another value.
_CHANGED = re.compile(
    r"\b(?:not|less|more|than|between|least|most|over|under|below|above|half|twice|thrice|double"
    r"|triple|times|hundreds?|no|if"
    r"|thousands?|[mb]illions?|dozens?|except|only|unless|impossible|cannot|minus|negative|root|power"
    r"|squared|cubed|log|base|pi"
    r"|to|from|about|approximately|each)\b|n't|[-+*/^=]\s*[0-9]|[0-9]\s*[-+*/^=]",
    re.IGNORECASE,
)
_WORKING = re.compile(
    r"(?:let(?:'s|’s| us| me)?|we|i|first|since|because|here|given|step|to|as|note|consider|suppose"
    r"|using|in order)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A statement that names the answer; `is_explicit` if the sentence says nothing else before it."""

    value: ClaimedValue
    start: int
    is_explicit: bool


@dataclass(frozen=True, slots=True)
class _Statement:
    keywords: tuple[str, ...]
    mark: re.Pattern[str]
    noun: re.Pattern[str]
    not_ours: re.Pattern[str]
    in_ascii: bool
    is_spaced: bool


def _statement(language: Language) -> _Statement:
    return _Statement(
        keywords=language.keywords,
        mark=re.compile(language.nouns + _LINK.format(links=language.links), re.IGNORECASE),
        noun=re.compile(language.nouns, re.IGNORECASE),
        not_ours=re.compile(rf"(?<!\w)(?:{language.not_ours})\s*(?:\*\*)?$", re.IGNORECASE),
        in_ascii=any(keyword.isascii() for keyword in language.keywords),
        is_spaced=language is LANGUAGES["english"],
    )


_STATEMENTS = tuple(_statement(language) for language in LANGUAGES.values())


def phrases_of(text: str) -> Iterator[Phrase]:
    """The last statements of a text, language by language: up to the last one that names mathematics or a choice."""
    lowered = text.lower()
    lowered = lowered if len(lowered) == len(text) else text
    is_ascii = text.isascii()
    for statement in _STATEMENTS:
        if statement.in_ascii or not is_ascii:
            for keyword in statement.keywords:
                yield from _stated(text, lowered, keyword, statement)
    yield from _answer_lines(text)
    yield from (Phrase(value, start, True) for value, start in fields_of(text))
    yield from (Phrase(value, start, False) for value, start in before_noun(text))


def _stated(text: str, lowered: str, keyword: str, statement: _Statement) -> Iterator[Phrase]:
    at = len(text)
    for _ in range(MAX_MARKS):
        at = lowered.rfind(keyword, 0, at)
        if at < 0:
            return
        if phrase := _phrase(text, at, statement):
            yield phrase
            if phrase.value.is_mathematics:
                return


def _phrase(text: str, at: int, statement: _Statement) -> Phrase | None:
    if statement.is_spaced and at and text[at - 1].isalpha():
        return None
    before = text[max(0, at - MAX_BEFORE) : at]
    sentence = re.split(r"[.!?。！？](?=\s)|[。！？]|\n", before)[-1]
    if statement.not_ours.search(sentence):
        return None
    begins_line = bool(_LINE_START.search(before if at > MAX_BEFORE else "\n" + before))
    linked = statement.mark.match(text, at)
    if linked is None:
        noun = statement.noun.match(text, at) if begins_line else None
        heading = _HEADING_END.match(text, noun.end()) if noun else None
        if heading is None:
            return None
        end = heading.end()
    else:
        end = linked.end()
    value = value_after(text, end)
    if value is None:
        return None
    value = replace(value, is_below=value.is_below or linked is None)
    if not value.is_mathematics:
        value = _in_words(value, is_label=begins_line and text[end - 1] in ":：*\n")
    is_explicit = begins_line or bool(_OPENERS.fullmatch(sentence)) or not statement.is_spaced
    return Phrase(value, at, is_explicit) if value else None


def _in_words(value: ClaimedValue, *, is_label: bool) -> ClaimedValue | None:
    """A value in words: the only number of the sentence after a label, or a few words that begin no working."""
    numbers = _ONE_NUMBER.findall(value.text)
    words = value.text.split()
    is_sentence = len(words) > 2 or not value.text.isascii()
    if is_label and is_sentence and len(numbers) == 1 and "\\" not in value.text and not _CHANGED.search(value.text):
        return replace(value, text=numbers[0].strip(), is_mathematics=True)
    return value if len(words) <= MAX_WORDS and not value.is_below and not _WORKING.match(value.text) else None


def _answer_lines(text: str) -> Iterator[Phrase]:
    """Lines that begin with `A:` and hold a value, as solutions graded by people end."""
    if "A:" not in text and "A**:" not in text and "A :" not in text:
        return
    for line in _ANSWER_LINE.finditer(text):
        value = value_after(text, line.end())
        if value and value.is_mathematics and not value.is_below:
            yield Phrase(value, line.start(), True)
