"""Text that runs in circles: few different words, a short unit that fills the end, or a passage that comes again.

Gives rules for `apply_rules`. Knows no language: only that the same characters come back.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

_SHORTEST_PASSAGE = 10
_LONGEST_TAIL_UNIT = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopBounds:
    """How much of a text may repeat itself.

    `word_share` is the least share of different word n-grams of length `n` in a text of at least `min_words` words;
    `tail` the most times that one short unit may stand at the end, over at least `tail_characters` characters;
    `repeats` the least times in a row, anywhere, that make a loop of a passage of up to `longest_passage` characters,
    over at least `passage_characters`.
    """

    n: int = 4
    word_share: float = 0.3
    min_words: int = 40
    tail: int = 8
    tail_characters: int = 40
    repeats: int = 5
    longest_passage: int = 640
    passage_characters: int = 90

    def __post_init__(self) -> None:
        for field in ("n", "min_words", "tail", "tail_characters", "passage_characters"):
            if getattr(self, field) < 2:
                raise ValueError(f"{field} must be at least 2, got {getattr(self, field)}")
        if self.repeats < 3:
            raise ValueError(f"repeats must be at least 3, got {self.repeats}")
        if self.longest_passage < _SHORTEST_PASSAGE:
            raise ValueError(f"longest_passage must be at least {_SHORTEST_PASSAGE}, got {self.longest_passage}")
        if not 0 < self.word_share < 1:
            raise ValueError(f"word_share must be above 0 and below 1, got {self.word_share}")


DEFAULT_BOUNDS = LoopBounds()


def no_loops(text: str, bounds: LoopBounds = DEFAULT_BOUNDS) -> Mapping[str, pl.Expr]:
    """Neither the words nor the characters nor a passage of the text run in a circle."""
    checks = {"word_loop": _has_varied_words, "character_loop": _ends_freely, "passage_loop": _moves_on}
    return {reason: _judged(text, holds, bounds) for reason, holds in checks.items()}


def _judged(text: str, holds: Callable[[str, LoopBounds], bool], bounds: LoopBounds) -> pl.Expr:
    def judge(texts: pl.Series) -> pl.Series:
        return pl.Series([None if text is None else holds(text, bounds) for text in texts], dtype=pl.Boolean)

    return pl.col(text).map_batches(judge, return_dtype=pl.Boolean)


def _has_varied_words(text: str, bounds: LoopBounds) -> bool:
    words = text.split()
    if len(words) < bounds.min_words:
        return True
    grams = {tuple(words[start : start + bounds.n]) for start in range(len(words) - bounds.n + 1)}
    return len(grams) >= bounds.word_share * (len(words) - bounds.n + 1)


def _ends_freely(text: str, bounds: LoopBounds) -> bool:
    """Whether no unit of up to 40 characters fills the end of the text `tail` times or more."""
    tail = text.rstrip()
    for size in range(1, _LONGEST_TAIL_UNIT + 1):
        repeated = max(bounds.tail, -(-bounds.tail_characters // size))
        unit = tail[-size:]
        if len(tail) >= size * repeated and tail.endswith(unit * repeated):
            return False
    return True


def _moves_on(text: str, bounds: LoopBounds) -> bool:
    """Whether no passage of 10 to `longest_passage` characters stands `repeats` times in a row, anywhere in the text.

    The first or the last one may lack up to a quarter: what stood between the passages is not always around them.
    """
    plain = " ".join(text.split()) + " "
    for start, period in _returns(plain, bounds):
        least = max((bounds.repeats - 0.25) * period, bounds.passage_characters)
        if plain.startswith(plain[start + period : start + 2 * period], start) and _run(plain, start, period) >= least:
            return False
    return True


def _returns(text: str, bounds: LoopBounds) -> Iterator[tuple[int, int]]:
    """Places whose next characters come back, and after how many.

    For periods from `size` to twice that, one place in `size` is enough: a loop is longer than that, so it holds one.
    """
    size = _SHORTEST_PASSAGE
    while size <= bounds.longest_passage:
        for start in range(0, len(text) - (bounds.repeats - 2) * size, size):
            end = start + size + min(2 * size, bounds.longest_passage + 1)
            found = text.find(text[start : start + size], start + size, end)
            while found >= 0:
                yield start, found - start
                found = text.find(text[start : start + size], found + 1, end)
        size *= 2


def _run(text: str, start: int, period: int) -> int:
    """How many characters around `start` repeat with that period."""
    first, last = start, start + 2 * period
    while first and text[first - 1] == text[first - 1 + period]:
        first -= 1
    while last < len(text) and text[last] == text[last - period]:
        last += 1
    return last - first
