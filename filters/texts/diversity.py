"""A few rows of every group, chosen to differ: the first row, then ever the one that is least like those chosen.

Knows nothing of what the texts are. Greedy farthest-first by the Jaccard similarity of word shingles; no chance is in
it, so the same rows in the same order give the same choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from filters.rules import Filtered, apply_rules
from filters.texts.shingles import jaccard, shingles_of

LESS_DIFFERENT = "less_different"
_KEPT = "is_among_the_most_different"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiversitySettings:
    """How many rows of a group are kept at most, and how many words make a shingle."""

    most: int
    n: int = 3

    def __post_init__(self) -> None:
        for field in ("most", "n"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")


def keep_different(rows: pl.DataFrame, *, column: str, within: Sequence[str], settings: DiversitySettings) -> Filtered:
    """Keep at most `most` rows of the same values in `within`, chosen to differ in `column`; their order stays."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for number, group in enumerate(rows.select(within).iter_rows()):
        groups.setdefault(group, []).append(number)
    texts, kept = rows[column], set[int]()
    for members in groups.values():
        kept.update(members[place] for place in _most_different(texts.gather(members).to_list(), settings))
    judged = rows.with_columns(pl.Series(_KEPT, [number in kept for number in range(rows.height)], dtype=pl.Boolean))
    filtered = apply_rules(judged, {LESS_DIFFERENT: pl.col(_KEPT)})
    return Filtered(filtered.kept.drop(_KEPT), filtered.dropped.drop(_KEPT))


def _most_different(texts: Sequence[str | None], settings: DiversitySettings) -> list[int]:
    """The places of the chosen texts, in the order of their choice; of equals the first."""
    if len(texts) <= settings.most:
        return list(range(len(texts)))
    sets = [shingles_of(text, settings.n) for text in texts]
    chosen, left = [0], dict.fromkeys(range(1, len(texts)), 0.0)
    while len(chosen) < settings.most:
        left = {place: max(nearest, jaccard(sets[place], sets[chosen[-1]])) for place, nearest in left.items()}
        chosen.append(min(left, key=lambda place: (left[place], place)))
        del left[chosen[-1]]
    return chosen
