"""Rules against text that loops, and against texts far shorter or longer than the others of their table.

A text loops if it has few distinct words, a short unit repeated at the end, or a passage repeated several times in a
row. The checks compare characters and work for any language. Numbers, drawn rules and short lists of a usual length are
no loops: see `filters.texts.repetition`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from filters.texts.repetition import shortened

_SHORTEST_PASSAGE = 10
_LONGEST_TAIL_UNIT = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopBounds:
    """How much of a text may repeat itself.

    `word_share` is the minimum share of distinct word n-grams of length `n` in a text of at least `min_words` words.
    A short unit is a loop if it fills the end of a text `tail` times and over at least `tail_characters` characters. A
    passage of up to `longest_passage` characters is a loop if it occurs `repeats` times in a row, anywhere, over at
    least `passage_characters` characters.
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
    """The text loops neither in its words, nor in its last characters, nor in a passage."""
    checks = {
        "word_loop": _has_varied_words,
        "character_loop": _has_no_looping_tail,
        "passage_loop": _has_no_looping_passage,
    }
    return {reason: _checked(text, holds, bounds) for reason, holds in checks.items()}


def no_length_outliers(text: str, *, lower: float = 0.5, upper: float = 99.5) -> Mapping[str, pl.Expr]:
    """No text is shorter than the `lower` percentile of all lengths in characters, or longer than the `upper` one.

    The result depends on the other rows, so filter broken ones first. A percentile is always a length that occurs, the
    outer one of two neighbours. So equal lengths all pass, and a small table (with the defaults, up to 201 rows) loses
    none.
    """
    return usual_lengths(pl.col(text).str.len_chars(), lower=lower, upper=upper)


def usual_lengths(length: pl.Expr, *, lower: float, upper: float) -> Mapping[str, pl.Expr]:
    """The rules of `no_length_outliers` over lengths that are known already."""
    if not 0 <= lower < 50:
        raise ValueError(f"lower must be at least 0 and below 50, got {lower}")
    if not 50 < upper <= 100:
        raise ValueError(f"upper must be above 50 and at most 100, got {upper}")
    return {
        "unusually_short": length >= length.quantile(lower / 100, interpolation="lower"),
        "unusually_long": length <= length.quantile(upper / 100, interpolation="higher"),
    }


def _checked(text: str, holds: Callable[[str, LoopBounds], bool], bounds: LoopBounds) -> pl.Expr:
    def judge(texts: pl.Series) -> pl.Series:
        return pl.Series(
            [None if text is None else holds(text, bounds) or holds(shortened(text), bounds) for text in texts],
            dtype=pl.Boolean,
        )

    return pl.col(text).map_batches(judge, return_dtype=pl.Boolean)


def _has_varied_words(text: str, bounds: LoopBounds) -> bool:
    words = text.split()
    if len(words) < bounds.min_words:
        return True
    grams = {tuple(words[start : start + bounds.n]) for start in range(len(words) - bounds.n + 1)}
    return len(grams) >= bounds.word_share * (len(words) - bounds.n + 1)


def _has_no_looping_tail(text: str, bounds: LoopBounds) -> bool:
    """Whether no unit of up to 40 characters fills the end of the text `tail` times or more."""
    tail = text.rstrip()
    for size in range(1, _LONGEST_TAIL_UNIT + 1):
        times = max(bounds.tail, -(-bounds.tail_characters // size))
        unit = tail[-size:]
        if len(tail) >= size * times and tail.endswith(unit * times):
            return False
    return True


def _has_no_looping_passage(text: str, bounds: LoopBounds) -> bool:
    """Whether no passage of 10 to `longest_passage` characters occurs `repeats` times in a row, anywhere in the text.

    A run may be short by a quarter of a passage, because the separator between passages may be missing at its ends.
    """
    normalized = " ".join(text.split()) + " "
    for start, period in _recurrences(normalized, bounds):
        min_length = max((bounds.repeats - 0.25) * period, bounds.passage_characters)
        if (
            normalized.startswith(normalized[start + period : start + 2 * period], start)
            and _run_length(normalized, start, period) >= min_length
        ):
            return False
    return True


def _recurrences(text: str, bounds: LoopBounds) -> Iterator[tuple[int, int]]:
    """Positions whose next characters occur again, each with the distance to that occurrence.

    For periods from `size` to twice that, it is enough to look at every `size`-th position: a loop is longer than that,
    so it contains one.
    """
    size = _SHORTEST_PASSAGE
    while size <= bounds.longest_passage:
        for start in range(0, len(text) - (bounds.repeats - 2) * size, size):
            end = start + size + min(2 * size, bounds.longest_passage + 1)
            next_position = text.find(text[start : start + size], start + size, end)
            while next_position >= 0:
                yield start, next_position - start
                next_position = text.find(text[start : start + size], next_position + 1, end)
        size *= 2


def _run_length(text: str, start: int, period: int) -> int:
    """The number of characters around `start` that repeat with that period."""
    first, last = start, start + 2 * period
    while first and text[first - 1] == text[first - 1 + period]:
        first -= 1
    while last < len(text) and text[last] == text[last - period]:
        last += 1
    return last - first
