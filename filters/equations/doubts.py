"""Whether the words around an equation say that it is not simply stated.

A text may suppose an equation, ask for it, quote it as a mistake or take it back; it may count in another base, modulo
a number or on a clock; or it may say that the result is rounded.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

from filters.equations.phrases import (
    CONSEQUENCE,
    MISTAKEN,
    OTHER_ARITHMETIC,
    PREMISE,
    REMAINDER,
    RETRACTED,
    ROUNDED,
    SHORTFALL,
    SUPPOSED,
)

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]*]*\s+|\n+|[。？！]|(?<=;)\s")
_REACH = 300  # characters
_N_LATER = 2  # sentences after the equation that may take it back

_NUMBERS_EQUATED = re.compile(r"[\d)}]\s*(?:=|\bis\b|\bwere\b)")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The text of the sentences around an equation: before it, after it, and the next sentences."""

    before: str
    after: str
    later: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Doubts:
    """What makes the equations of one text doubtful.

    `starts` and `ends` are those of its sentences; `supposed_at` is where it first supposes that numbers are equal.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    supposed_at: int
    in_other_arithmetic: bool

    @classmethod
    def of(cls, text: str, given: str = "") -> "Doubts":
        """Split a text into sentences, and see whether its numbers or those of `given` may mean something else.

        `given` is what the text answers, such as its problem.
        """
        cuts = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
        sentences = [(start, end) for start, end in pairwise(cuts) if text[start:end].strip()] or [(0, len(text))]
        premises = (PREMISE.search(text, start, end) for start, end in sentences)
        supposed = (
            match.start()
            for match, (_, end) in zip(premises, sentences, strict=True)
            if match is not None and _NUMBERS_EQUATED.search(text, match.end(), end)
        )
        return cls(
            text=text,
            starts=tuple(start for start, _ in sentences),
            ends=tuple(end for _, end in sentences),
            supposed_at=next(supposed, len(text)),
            in_other_arithmetic=bool(OTHER_ARITHMETIC.search(text) or OTHER_ARITHMETIC.search(given)),
        )

    def around(self, start: int, end: int) -> Surroundings:
        """What stands around the equation in this span, at most `_REACH` characters of each sentence."""
        first = max(0, bisect_right(self.starts, start) - 1)
        last = max(0, bisect_right(self.starts, max(start, end - 1)) - 1)
        later = range(last + 1, min(last + 1 + _N_LATER, len(self.starts)))
        return Surroundings(
            before=self.text[max(self.starts[first], start - _REACH) : start],
            after=self.text[end : min(self.ends[last], end + _REACH)],
            later=tuple(self.text[self.starts[n] : min(self.ends[n], self.starts[n] + _REACH)] for n in later),
        )

    def stated(self, start: int, end: int) -> bool:
        """Whether the text states the equation in this span, in the usual arithmetic and for good."""
        if self.in_other_arithmetic or self.supposed_at < start:
            return False
        around = self.around(start, end)
        clause = self._clause(around.before)
        supposed = SUPPOSED.search(around.before)
        return not (
            around.after.rstrip(" \n\"')*$").endswith(("?", "？"))
            or SUPPOSED.search(clause)
            or (supposed and _NUMBERS_EQUATED.search(around.before, supposed.end()))
            or MISTAKEN.search(clause)
            or RETRACTED.search(around.after)
            or any(RETRACTED.search(later) for later in around.later)
            or _is_quoted(around)
        )

    def says_rounded(self, start: int, end: int) -> bool:
        """Whether the sentence of this span says that numbers in it are not exact."""
        around = self.around(start, end)
        return bool(ROUNDED.search(around.before + self.text[start:end] + around.after))

    def says_shortfall(self, start: int, end: int) -> bool:
        """Whether the sentence of this span tells of a shortfall, whose sign is often left out."""
        around = self.around(start, end)
        return bool(SHORTFALL.search(around.before) or SHORTFALL.search(around.after))

    def says_remainder(self, start: int, end: int) -> bool:
        """Whether the sentence of this span or the next one tells of a remainder."""
        around = self.around(start, end)
        return bool(REMAINDER.search(around.before + self.text[start:end] + around.after + " ".join(around.later[:1])))

    @staticmethod
    def _clause(before: str) -> str:
        cuts = [match.end() for match in CONSEQUENCE.finditer(before)]
        clause = before[cuts[-1] :] if cuts else before
        return clause if clause.strip(" $\\([*") or len(cuts) < 1 else before[(cuts[-2] if len(cuts) > 1 else 0) :]


def _is_quoted(around: Surroundings) -> bool:
    straight = around.before.count('"') % 2 == 1 and '"' in around.after
    curly = around.before.count("“") > around.before.count("”") and "”" in around.after
    return straight or curly
