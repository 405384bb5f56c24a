"""Drops rows whose text nearly repeats an earlier row, compared by what is left without templates and instructions.

The first row of a group of repeats is kept, so the result depends only on the order of the rows. Time is linear: a row
is compared with a bounded number of earlier rows, those that share most of its least shingle hashes. Rows that are
compared only `within` columns, such as the solutions of one problem, are forgotten when the last of them was read.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import polars as pl
from xxhash import xxh3_64_intdigest

from filters.rules import REASON, Filtered
from filters.texts.common import DEFAULT_SETTINGS as DEFAULT_COMMON
from filters.texts.common import Common, CommonSettings, common_of
from filters.texts.grouping import groups_of
from filters.texts.instructions import without_instructions
from filters.texts.respelling import comparable
from filters.texts.sameness import renamed, same_problem
from filters.texts.shingles import shingles
from filters.texts.words import figures

NEAR_DUPLICATE = "near_duplicate"
REPEATS = "repeats_row"
SIMILARITY = "similarity"
# Of two texts at a similarity of 0.5 (0.3), one pair in 16 million (5,000) shares none of its 24 least hashes.
_SKETCH = 24
# More rows than this are not looked up by one hash: what so many share tells little.
_MOST_ROWS = 64
_MOST_COMPARED = 48
_MOST_READ = 12
# Texts with the same numbers, at least two, may be alike but for their names; then their similarity is lower by this.
_RENAMED = 0.3
_NUMBERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateSettings:
    """The Jaccard similarity of word n-grams (length `n`) from which a row counts as a repeat.

    With `same_figures`, texts with different numbers or signs are never repeats: two problems may differ in nothing
    else. With `same_question`, texts that differ in an opposite, a negation, exchanged roles or a whole clause are no
    repeats either. Passages that many rows share (`common`) do not count; None counts them.
    """

    threshold: float = 0.5
    n: int = 3
    same_figures: bool = True
    same_question: bool = True
    common: CommonSettings | None = DEFAULT_COMMON

    def __post_init__(self) -> None:
        if not 0.3 <= self.threshold <= 1:
            raise ValueError(f"threshold must be from 0.3 to 1, got {self.threshold}")
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")


DEFAULT_SETTINGS = DuplicateSettings()


def drop_near_duplicates(
    rows: pl.DataFrame, *, column: str, within: Sequence[str] = (), settings: DuplicateSettings = DEFAULT_SETTINGS
) -> Filtered:
    """Keep the first row of every group of near repeats; a dropped row has the kept row's number and the similarity.

    With `within`, for example the problem id, only rows with the same values in these columns repeat each other.
    """
    texts = rows[column]
    split = comparable if settings.common is None else without_instructions
    common = Common() if settings.common is None else common_of(texts.to_list(), split, settings.common)
    repeats: dict[int, tuple[int, float]] = {}
    for group, numbers in groups_of(rows, within):
        seen = _Seen(settings, split, common, group)
        for number in numbers:
            repeat = seen.repeated(number, texts[number])
            if repeat is not None:
                repeats[number] = repeat
    found = [repeats.get(number, (None, None)) for number in range(rows.height)]
    marked = rows.with_columns(
        pl.Series(REPEATS, [number for number, _ in found], dtype=pl.Int64),
        pl.Series(SIMILARITY, [similarity for _, similarity in found], dtype=pl.Float64),
    )
    is_kept = pl.col(REPEATS).is_null()
    dropped = marked.filter(~is_kept).with_columns(pl.lit(NEAR_DUPLICATE).alias(REASON))
    return Filtered(marked.filter(is_kept).drop(REPEATS, SIMILARITY), dropped)


@dataclass(frozen=True, slots=True)
class _Row:
    """A kept row: its words, if they are read again, and the hashes of its shingles."""

    words: str
    hashes: "array[int]"


class _Seen:
    """The rows of one group kept so far, each under its least shingle hashes."""

    def __init__(
        self, settings: DuplicateSettings, split: Callable[[str], list[str]], common: Common, group: tuple[object, ...]
    ) -> None:
        self._settings = settings
        self._split = split
        self._common = common
        self._group = group
        self._rows: dict[int, _Row] = {}
        self._by_hash: dict[int, int | list[int]] = {}

    def repeated(self, number: int, text: str | None) -> tuple[int, float] | None:
        """The kept row that a text repeats most and the similarity; None if it repeats none, and then it is kept."""
        words = self._common.left(self._split(text or ""))
        # Part of every hash, so problems with other numbers are never compared.
        seed = xxh3_64_intdigest(f"{self._group}|{self._figures(words)}".encode("utf-8", "surrogatepass"))
        own = self._hashes(words, seed)
        best = self._best(own, words, seed)
        if best is None:
            text_again = " ".join(words) if self._settings.same_question else ""
            self._keep(number, _Row(text_again, array("Q", own)), _least(own))
        return best

    def _figures(self, words: list[str]) -> str:
        """What repeats must share; in any order if the order is read later."""
        if not self._settings.same_figures:
            return ""
        return " ".join(sorted(figures(words).split())) if self._settings.same_question else figures(words)

    def _best(self, own: set[int], words: list[str], seed: int) -> tuple[int, float] | None:
        threshold, is_read = self._settings.threshold, self._settings.same_question
        has_numbers = sum(word[0].isdigit() for word in words) >= _NUMBERS
        least = threshold * _RENAMED if is_read and has_numbers else threshold
        alike = [
            (similarity, -kept)
            for kept in self._candidates(_least(own))
            if (similarity := _jaccard(own, self._rows[kept].hashes)) >= least
        ]
        for similarity, kept in sorted(alike, reverse=True)[:_MOST_READ]:
            if not is_read:
                return -kept, similarity
            earlier = self._rows[-kept].words.split()
            if similarity < threshold:
                similarity = _jaccard(own, self._hashes(renamed(earlier, words), seed))
            if similarity >= threshold and same_problem(earlier, words, mask=not self._settings.same_figures):
                return -kept, similarity
        return None

    def _hashes(self, words: list[str], seed: int) -> set[int]:
        return {xxh3_64_intdigest(shingle.encode(), seed) for shingle in shingles(words, self._settings.n)}

    def _candidates(self, least: list[int]) -> list[int]:
        """The kept rows that share most hashes, the first ones on a tie."""
        counts: Counter[int] = Counter()
        for value in least:
            rows = self._by_hash.get(value)
            if rows is not None:
                counts.update((rows,) if isinstance(rows, int) else rows)
        return sorted(counts, key=lambda row: (-counts[row], row))[:_MOST_COMPARED]

    def _keep(self, number: int, row: _Row, least: list[int]) -> None:
        self._rows[number] = row
        for value in least:
            rows = self._by_hash.get(value)
            if rows is None:
                self._by_hash[value] = number
            elif isinstance(rows, int):
                self._by_hash[value] = [rows, number]
            elif len(rows) < _MOST_ROWS:
                rows.append(number)


def _least(hashes: set[int]) -> list[int]:
    return sorted(hashes)[:_SKETCH]


def _jaccard(own: set[int], hashes: Collection[int]) -> float:
    shared = len(own.intersection(hashes))
    return shared / (len(own) + len(hashes) - shared)
