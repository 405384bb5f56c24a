"""Drops rows whose text nearly repeats an earlier row: candidates by MinHash, each confirmed by exact similarity.

The first row of a group of repeats is kept, so the result depends only on the order of the rows.
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
_BANDS = 64  # of three rows each: at a similarity of 0.5, one pair in 5,000 is missed
_SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateSettings:
    """The Jaccard similarity of word n-grams (length `n`) from which a row counts as a repeat.

    With `same_figures`, texts with different numbers or signs are never repeats: two problems may differ in nothing
    else.
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
    """Keep the first row of every group of near repeats; a dropped row has the kept row's number and the similarity.

    With `within`, for example the problem id, only rows with the same values in these columns repeat each other.
    """
    seen = _Seen(settings)
    groups = rows.select(within).rows() if within else [()] * rows.height
    repeats = [
        seen.repeated(number, text, group)
        for number, (text, group) in enumerate(zip(rows[column], groups, strict=True))
    ]
    marked = rows.with_columns(
        pl.Series(REPEATS, [None if repeat is None else repeat[0] for repeat in repeats], dtype=pl.Int64),
        pl.Series(SIMILARITY, [None if repeat is None else repeat[1] for repeat in repeats], dtype=pl.Float64),
    )
    is_kept = pl.col(REPEATS).is_null()
    dropped = marked.filter(~is_kept).with_columns(pl.lit(NEAR_DUPLICATE).alias(REASON))
    return Filtered(marked.filter(is_kept).drop(REPEATS, SIMILARITY), dropped)


class _Seen:
    """The rows kept so far."""

    def __init__(self, settings: DuplicateSettings) -> None:
        self._settings = settings
        self._near = RMinHashLSH(settings.threshold, _PERMUTATIONS, _BANDS)
        self._shingles: dict[int, frozenset[str]] = {}

    def repeated(self, number: int, text: str | None, group: tuple[object, ...]) -> tuple[int, float] | None:
        """The kept row that a text repeats most and the similarity; None if it repeats none, and then it is kept."""
        tokens = words(text or "")
        # Part of every shingle, so rows of other groups and problems of one template are never candidates.
        prefix = f"{group}|{figures(tokens) if self._settings.same_figures else ''}"
        own_shingles = frozenset(f"{prefix}|{shingle}" for shingle in shingles(tokens, self._settings.n))
        sketch = RMinHash(_PERMUTATIONS, _SEED)
        sketch.update(list(own_shingles))
        similarities = [
            (kept, jaccard(own_shingles, self._shingles[kept])) for kept in sorted(set(self._near.query(sketch)))
        ]
        best = max(similarities, key=lambda repeat: (repeat[1], -repeat[0]), default=None)
        if best is not None and best[1] >= self._settings.threshold:
            return best
        self._near.insert(number, sketch)
        self._shingles[number] = own_shingles
        return None
