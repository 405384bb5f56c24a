"""Rows whose text nearly repeats an earlier row's: candidates by MinHash, each confirmed by the true similarity.

Knows nothing of what the texts are, prompts or rows of any dataset. The first row of its kind stays, so the result
depends on the order of rows only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from rensa import RMinHash, RMinHashLSH

from filters.rules import REASON, Filtered
from filters.texts.shingles import jaccard, shingles
from filters.texts.words import figures, words

NEAR_DUPLICATE = "near_duplicate"
REPEATS = "repeats_row"
SIMILARITY = "similarity"
_PERMUTATIONS = 192
_BANDS = 64  # of three rows: at a similarity of 0.5, one pair in 5,000 is no candidate
_SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateSettings:
    """The Jaccard similarity of word n-grams from which a row counts as a repeat.

    With `same_figures`, texts with unlike numbers and signs are never repeats: two problems may differ in nothing else.
    """

    threshold: float = 0.5
    n: int = 3
    same_figures: bool = True

    def __post_init__(self) -> None:
        if not 0.3 <= self.threshold <= 1:
            raise ValueError(f"threshold must be from 0.3 to 1, got {self.threshold}")
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")


DEFAULT_SETTINGS = DuplicateSettings()


def drop_near_duplicates(
    rows: pl.DataFrame, *, column: str, within: Sequence[str] = (), settings: DuplicateSettings = DEFAULT_SETTINGS
) -> Filtered:
    """Keep the first of every group of near repeats; a dropped row names the kept row by number, and the similarity.

    With `within`, the column of a problem's id say, only rows of the same values there repeat each other.
    """
    seen = _Seen(settings)
    groups = rows.select(within).rows() if within else [()] * rows.height
    found = [seen.repeated(number, *one) for number, one in enumerate(zip(rows[column], groups, strict=True))]
    noted = rows.with_columns(
        pl.Series(REPEATS, [None if repeat is None else repeat[0] for repeat in found], dtype=pl.Int64),
        pl.Series(SIMILARITY, [None if repeat is None else repeat[1] for repeat in found], dtype=pl.Float64),
    )
    is_kept = pl.col(REPEATS).is_null()
    dropped = noted.filter(~is_kept).with_columns(pl.lit(NEAR_DUPLICATE).alias(REASON))
    return Filtered(noted.filter(is_kept).drop(REPEATS, SIMILARITY), dropped)


class _Seen:
    """The kept rows so far."""

    def __init__(self, settings: DuplicateSettings) -> None:
        self._settings = settings
        self._near = RMinHashLSH(settings.threshold, _PERMUTATIONS, _BANDS)
        self._shingles: dict[int, frozenset[str]] = {}

    def repeated(self, number: int, text: str | None, group: tuple[object, ...]) -> tuple[int, float] | None:
        """The kept row that a text repeats most, and how similar it is; a text that repeats none is kept itself."""
        of = words(text or "")
        # Part of every shingle, so that rows of other groups, or problems of one template, are no candidates at all.
        own = f"{group}|{figures(of) if self._settings.same_figures else ''}"
        marked = frozenset(f"{own}|{shingle}" for shingle in shingles(of, self._settings.n))
        sketch = RMinHash(_PERMUTATIONS, _SEED)
        sketch.update(list(marked))
        rated = [(kept, jaccard(marked, self._shingles[kept])) for kept in sorted(set(self._near.query(sketch)))]
        best = max(rated, key=lambda repeat: (repeat[1], -repeat[0]), default=None)
        if best is not None and best[1] >= self._settings.threshold:
            return best
        self._near.insert(number, sketch)
        self._shingles[number] = marked
        return None
