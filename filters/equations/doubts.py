"""Whether the words around an equation say that it is not simply stated.

A text may suppose an equation, ask for it, quote it as a mistake or take it back; it may count in another base, modulo
a number or on a clock; or it may say that the result is rounded.
"""

import re
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
_N_LATER = 2  # sentences after the equation that may take it back

_NUMBERS_EQUATED = re.compile(r"[\d)}]\s*(?:=|\bis\b|\bwere\b)")


@dataclass(frozen=True, slots=True)
class Doubts:
    """The surroundings of the equations of one text; `given` is what the text answers, such as its problem."""

    text: str
    sentences: tuple[tuple[int, int], ...]
    in_other_arithmetic: bool

    @classmethod
    def of(cls, text: str, given: str = "") -> "Doubts":
        """Split a text into sentences, and see whether its numbers or those of `given` may mean something else."""
        cuts = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
        other = OTHER_ARITHMETIC.search(text) or OTHER_ARITHMETIC.search(given)
        return cls(text, tuple(pairwise(cuts)), bool(other))

    def stated(self, start: int, end: int) -> bool:
        """Whether the text states the equation in this span, in the usual arithmetic and for good."""
        first, last = self._sentence(start)[0], self._sentence(max(start, end - 1))[1]
        before, after = self.text[first:start], self.text[end:last]
        clause = self._clause(before)
        return not (
            self.in_other_arithmetic
            or after.rstrip(" \n\"')*$").endswith(("?", "？"))
            or SUPPOSED.search(clause)
            or self._follows_supposition(before, start)
            or MISTAKEN.search(clause)
            or RETRACTED.search(after)
            or any(RETRACTED.search(later) for later in self._later(last))
            or _is_quoted(before, after)
        )

    def says_rounded(self, start: int, end: int) -> bool:
        """Whether the sentence of this span says that numbers in it are not exact."""
        first, last = self._sentence(start)[0], self._sentence(max(start, end - 1))[1]
        return bool(ROUNDED.search(self.text, first, last))

    def says_shortfall(self, start: int, end: int) -> bool:
        """Whether the sentence of this span tells of a shortfall, whose sign is often left out."""
        first, last = self._sentence(start)[0], self._sentence(max(start, end - 1))[1]
        return bool(SHORTFALL.search(self.text, first, last))

    def says_remainder(self, start: int, end: int) -> bool:
        """Whether the sentence of this span or the next one tells of a remainder."""
        first, last = self._sentence(start)[0], self._sentence(max(start, end - 1))[1]
        return bool(REMAINDER.search(self.text[first:last] + " ".join(self._later(last)[:1])))

    def _sentence(self, at: int) -> tuple[int, int]:
        return next((span for span in self.sentences if span[0] <= at < span[1]), (0, len(self.text)))

    def _later(self, last: int) -> list[str]:
        return [
            self.text[start:end] for start, end in self.sentences if start >= last and self.text[start:end].strip()
        ][:_N_LATER]

    @staticmethod
    def _clause(before: str) -> str:
        cuts = [match.end() for match in CONSEQUENCE.finditer(before)]
        clause = before[cuts[-1] :] if cuts else before
        return clause if clause.strip(" $\\([*") or len(cuts) < 1 else before[(cuts[-2] if len(cuts) > 1 else 0) :]

    def _follows_supposition(self, before: str, start: int) -> bool:
        """Whether numbers were supposed equal before this equation, which may then only follow from that."""
        supposed = SUPPOSED.search(before)
        if supposed is not None and _NUMBERS_EQUATED.search(before, supposed.end()):
            return True
        premise = PREMISE.search(self.text, 0, start)
        if premise is None:
            return False
        return bool(_NUMBERS_EQUATED.search(self.text, premise.end(), min(start, self._sentence(premise.start())[1])))


def _is_quoted(before: str, after: str) -> bool:
    straight = before.count('"') % 2 == 1 and '"' in after
    curly = before.count("“") > before.count("”") and "”" in after
    return straight or curly
