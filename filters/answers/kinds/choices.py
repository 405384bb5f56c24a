r"""Answers to multiple-choice questions: `B`, `(b)`, `Option B`, `(B) 12`, `B. 12`, `A, B and D`, `ABD`."""

import re
from dataclasses import dataclass
from functools import lru_cache

from filters.answers.kinds.outcomes import Compare, Outcome
from filters.answers.verdicts import AnswerRule, Verdict

_BARE = re.compile(r"([A-Z])\s*[).:]?|(?:[(\[]\s*([A-Za-z])\s*[)\].]{1,2}|([a-j])\))")
_SAID = re.compile(
    r"(?:the\s+)?(?:correct\s+)?(?:option|choice|answer)s?\s*(?:is\s*)?:?\s*(\(?[A-Za-z]\)?|\(?[A-Z]\)?[ .:)].*)",
    re.IGNORECASE,
)
_WITH_TEXT = re.compile(
    r"(?:\(\s*([A-J])\s*\)[.:]?\s+|([A-J])\s*(?:\)|[.:]\s)\s*)(?![-+*/^=]\s|[,;]|(?:or|and)\b)(\S.*)", re.DOTALL
)
_RUN = re.compile(r"[A-H]{2,}")
_BETWEEN = re.compile(r"\s*(?:,|;|&|\band\b)\s*(?:\band\b\s*)?")


@dataclass(frozen=True, slots=True)
class Choice:
    """The letter of a choice, and the text of the choice where it is given too."""

    letter: str
    text: str | None = None


@lru_cache(maxsize=4096)
def read_choice(text: str) -> Choice | None:
    """Read a tidy answer as one choice, or return None."""
    said = _SAID.fullmatch(text)
    if said:
        text = said[1]
        if len(text) == 1:
            return Choice(text.upper())
    if bare := _BARE.fullmatch(text):
        return Choice("".join(filter(None, bare.groups())).upper())
    if stated := _WITH_TEXT.fullmatch(text):
        return Choice(stated[1] or stated[2], stated[3])
    return None


def read_choices(text: str) -> frozenset[str] | None:
    """The letters of a list of at least two different choices, or None."""
    parts = [part.strip("() .") for part in _BETWEEN.split(text)]
    if len(parts) < 2 or not all(re.fullmatch("[A-H]", part) for part in parts):
        return None
    return frozenset(parts) if len(set(parts)) == len(parts) else None


def read_run(text: str) -> frozenset[str] | None:
    """The letters of `ABD`, in the order of the alphabet and without spaces; it may also be an angle or a product."""
    ordered = _RUN.fullmatch(text) and list(text) == sorted(set(text))
    return frozenset(text) if ordered else None


def compare_choices(left: str, right: str, rule: AnswerRule, compare: Compare) -> Outcome | None:
    """Compare where at least one side is a choice; None where neither is."""
    for one, other in ((left, right), (right, left)):
        letters, run = read_choices(one), read_run(other)
        if letters and run:
            return Outcome(Verdict.EQUAL if letters == run else Verdict.DIFFERENT, "choice")
    ours, theirs = read_choice(left), read_choice(right)
    if ours and theirs:
        return _two_choices(ours, theirs, rule, compare)
    choice, text = (ours, right) if ours else (theirs, left)
    if choice is None:
        return None
    if choice.text is None:
        return Outcome(Verdict.DIFFERENT if read_choices(text) else Verdict.UNPARSED, "choice")
    return compare(choice.text, text, rule)


def _two_choices(ours: Choice, theirs: Choice, rule: AnswerRule, compare: Compare) -> Outcome:
    same = ours.letter == theirs.letter
    if ours.text is not None and theirs.text is not None:
        texts = compare(ours.text, theirs.text, rule)
        if texts.verdict is not (Verdict.EQUAL if same else Verdict.DIFFERENT):
            return texts if same and texts.verdict is None else Outcome(Verdict.UNPARSED, "choice")
    return Outcome(Verdict.EQUAL if same else Verdict.DIFFERENT, "choice")
