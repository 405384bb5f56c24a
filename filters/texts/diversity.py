"""Keeps a few rows of every group, chosen to differ from each other.

Greedy farthest-first: start with the first row, then add the row least similar to those already chosen, by the Jaccard
similarity of word shingles. The choice is deterministic for the same rows in the same order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from filters.rules import Filtered, apply_rules
from filters.texts.grouping import groups_of
from filters.texts.shingles import jaccard, shingles_of

LESS_DIFFERENT = "less_different"
_KEPT = "is_among_the_most_different"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiversitySettings:
    """The maximum number of rows kept per group, and the number of words per shingle."""

    most: int
    n: int = 3

    def __post_init__(self) -> None:
        for field in ("most", "n"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")


def keep_different(rows: pl.DataFrame, *, column: str, within: Sequence[str], settings: DiversitySettings) -> Filtered:
    """Keep at most `most` rows per combination of `within`, chosen to differ in `column`; the order stays."""
    texts, kept = rows[column], set[int]()
    for _, members in groups_of(rows, within):
        kept.update(members[index] for index in _most_different(texts.gather(members).to_list(), settings))
    marked = rows.with_columns(pl.Series(_KEPT, [number in kept for number in range(rows.height)], dtype=pl.Boolean))
    filtered = apply_rules(marked, {LESS_DIFFERENT: pl.col(_KEPT)})
    return Filtered(filtered.kept.drop(_KEPT), filtered.dropped.drop(_KEPT))


def _most_different(texts: Sequence[str | None], settings: DiversitySettings) -> list[int]:
    """The indices of the chosen texts, in the order of choice; on a tie the first one."""
    if len(texts) <= settings.most:
        return list(range(len(texts)))
    sets = [shingles_of(text, settings.n) for text in texts]
    chosen, nearest = [0], dict.fromkeys(range(1, len(texts)), 0.0)
    while len(chosen) < settings.most:
        last = sets[chosen[-1]]
        nearest = {index: max(similarity, jaccard(sets[index], last)) for index, similarity in nearest.items()}
        chosen.append(min(nearest, key=lambda index: (nearest[index], index)))
        del nearest[chosen[-1]]
    return chosen
