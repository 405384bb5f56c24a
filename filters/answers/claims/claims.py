r"""Collects the claims of a text: the last box, `#### 18`, `<answer>` and statement, each with its place.

Which of them is the answer is decided in `filters.answers.extraction`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from filters.answers.claims.boxes import last_conclusion
from filters.answers.claims.claimed_values import cut, is_mathematics, tidy_end, value_after
from filters.answers.claims.phrases import Phrase, phrases_of

MAX_LINE = 400
MAX_TAGGED = 2000

_HASHES = re.compile(rf"(?<!#)####(?!#)[ \t]*(\S[^\n]{{0,{MAX_LINE}}})")
_ENUMERATED = re.compile(r"(?:[0-9]+[.):]|[a-z]+ [0-9]+\s*[:.])\s*[^\W\d]", re.IGNORECASE)
_OPENING_TAG = re.compile(r"<(?:final[_ ]?)?answer>", re.IGNORECASE)
_CLOSING_TAG = re.compile(r"</|<(?:final[_ ]?)?answer>", re.IGNORECASE)
_END_OF_TEXT = re.compile(r"(?:\s|<\|[a-z_]{1,20}\|>|</?[a-z]{1,10}>|\\\])*$", re.IGNORECASE)
_MARKED = re.compile(
    r"\*\*([^*\n]+)\*\*|__([^_\n]+)__|\\textbf\{([^{}]+)\}|(?<=\bis )\[([^\[\]\n]+)\](?=\W*$)|\[\[([^\[\]\n]{1,80})\]\]"
)
_CORRECTED = re.compile(
    r"\b(?:it|that|this|value|result)(?:'s|’s|\s+(?:is|should be|must be|has to be))\s+(?:actually "
    r"|really )?(?=[-$\\]?[0-9\\])",
    re.IGNORECASE,
)


_ANNOUNCED = re.compile(
    r"(?:\\(?:text(?:bf|rm|it)?|mathrm|mbox)\s*\{[^{}]*answer[^{}]*(?:is|are|:|=)\s*\}"
    r"|(?:the )?(?:final )?answer(?: is|:))"
    r"(?:\s|\\[ ,;])*(.+)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim with its place and the rule that found it.

    A weak one is in words, or stands for an answer, and yields to any other. One that `restates` may repeat, round or
    qualify what was claimed before it, and does not overrule a box.
    """

    text: str
    found_by: str
    start: int
    end: int
    is_weak: bool = False
    restates: bool = False


def claims_of(text: str) -> list[Claim]:
    """The last claim of each kind, in no order."""
    box = _box(text)
    claims = [claim for claim in (box, _hashes(text), _tag(text)) if claim]
    phrases = list(phrases_of(text))
    if box and not box.is_weak:  # what stands in a box is its content
        claims = [claim for claim in claims if not box.start < claim.start < box.end]
        phrases = [phrase for phrase in phrases if not box.start <= phrase.start < box.end]
    for is_weak in (False, True):
        stated = [phrase for phrase in phrases if phrase.value.is_mathematics is not is_weak]
        if stated:
            claims.append(_stated(max(stated, key=lambda phrase: phrase.start)))
    return claims


def _box(text: str) -> Claim | None:
    box = last_conclusion(text)
    return Claim(without_announcement(box.text), "box", box.start, box.end, is_weak=box.is_weak) if box else None


def _stated(phrase: Phrase) -> Claim:
    value = phrase.value
    return Claim(
        value.text,
        "heading" if value.is_below else "phrase",
        phrase.start,
        value.end,
        is_weak=not value.is_mathematics,
        restates=value.is_rounded or not phrase.is_explicit,
    )


def without_announcement(boxed: str) -> str:
    r"""The content of a box without the words that announce it: `\text{The answer is }5`."""
    announced = _ANNOUNCED.fullmatch(boxed) if "nswer" in boxed else None
    return announced[1] if announced else boxed


def _hashes(text: str) -> Claim | None:
    at = text.rfind("####")
    while at >= 0:
        line = _HASHES.match(text, at)
        if line and "####" not in line[1] and (value := tidy_end(cut(line[1]))):
            ends_text = bool(_END_OF_TEXT.match(text, line.end()))
            is_value = is_mathematics(value) and not _ENUMERATED.match(line[1])
            if (ends_text and line[1].rstrip()[-1] != ":") or (is_value and len(value.split()) <= 4):
                return Claim(value, "hashes", at, line.end(), is_weak=not is_mathematics(value))
        at = text.rfind("####", 0, at)
    return None


def _tag(text: str) -> Claim | None:
    if "nswer>" not in text.lower():
        return None
    for opening in reversed(list(_OPENING_TAG.finditer(text))):
        inside = text[opening.end() : opening.end() + MAX_TAGGED]
        closing = _CLOSING_TAG.search(inside)
        tagged = inside[: closing.start()] if closing else inside
        if value := tidy_end(cut(tagged.strip())):
            return Claim(value, "tag", opening.start(), opening.end() + len(tagged), is_weak=not is_mathematics(value))
    return None


def marked_value(text: str) -> Claim | None:
    """A value in bold or in brackets near the end of the text's last line, if it is the only one there."""
    text = text.rstrip()
    line = text[max(text.rfind("\n") + 1, len(text) - MAX_LINE) :]
    marked = list(_MARKED.finditer(line))
    if len(marked) != 1:
        return None
    value, rest = tidy_end(next(filter(None, marked[0].groups()))), line[marked[0].end() :]
    is_last = len(rest.split()) <= 4 and not any(letter.isdigit() for letter in rest)
    if not value or not is_last or not is_mathematics(value) or _ENUMERATED.match(value):
        return None
    return Claim(value, "bold", len(text) - len(line) + marked[0].start(), len(text))


def corrections_of(text: str) -> Iterator[Claim]:
    """The values that a text names after it has taken one back: "it should be 6"."""
    for corrected in _CORRECTED.finditer(text):
        value = value_after(text, corrected.end())
        if value and value.is_mathematics:
            yield Claim(value.text, "phrase", corrected.start(), value.end)
