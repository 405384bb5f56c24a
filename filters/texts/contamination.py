"""Which rows repeat an item of an evaluation set: verbatim, inside a longer text, lightly reworded, or renumbered.

Knows nothing of where rows or items come from. An item counts as repeated when enough of its word n-grams stand in the
row; items too short for n-grams must stand there whole and by themselves. A row that has an item's figures, and nearly
its words, repeats it as well.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl
from rapidfuzz import fuzz

from filters.rules import REASON, Filtered
from filters.texts.words import figures, masked, ngrams, words

Match = Literal["near", "verbatim"]

CONTAMINATED = "in_evaluation_set"
MATCH = {
    "key": pl.String,
    "text": pl.String,
    "evaluation_set": pl.String,
    "item": pl.String,
    "item_text": pl.String,
    "path": pl.String,
    "share": pl.Float64,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContaminationSettings:
    """Two n-gram lengths in words, and the share of an item's n-grams that makes a match on each path.

    Items of `long_n` words and more match by n-grams of that length (`long_share`) or, reworded, by those of `short_n`
    (`reworded_share`); items between the two lengths by those of `short_n` (`short_share`), more strictly, since
    problems of one template share half of them.

    With `renumbered` numbers are also compared as if they were all the same: right for written problems, wrong for
    procedural ones, which differ in nothing else. `near` is the least similarity (0 to 1) of a whole row to an item
    whose numbers and signs it has, `near_long` that to an item of `long_n` words and more; a `near` of 1 asks for the
    same words.
    """

    long_n: int = 13
    long_share: float = 0.5
    short_n: int = 8
    short_share: float = 0.7
    reworded_share: float = 0.5
    renumbered: bool = True
    renumbered_share: float = 0.8
    near: float = 0.9
    near_long: float = 0.8

    def __post_init__(self) -> None:
        if self.short_n < 2:
            raise ValueError(f"short_n must be at least 2, got {self.short_n}")
        if self.long_n <= self.short_n:
            raise ValueError(f"long_n must be above short_n ({self.short_n}), got {self.long_n}")
        for name in ("long_share", "short_share", "reworded_share", "renumbered_share", "near", "near_long"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1, got {getattr(self, name)}")


_LEAST_WITHIN = 3
_SIGNS = frozenset("+-*/^=<>%")
# Of two paths that find the same share, the one that says more is named.
_ORDER = ("whole", "long", "short", "reworded", "renumbered")
DEFAULT_SETTINGS = ContaminationSettings()
# For procedural problems, which differ in their numbers only.
VERBATIM = ContaminationSettings(long_share=1.0, short_share=1.0, reworded_share=1.0, renumbered=False, near=1.0)
MATCHES: Mapping[Match, ContaminationSettings] = {"near": DEFAULT_SETTINGS, "verbatim": VERBATIM}


@dataclass(frozen=True, slots=True)
class Contamination:
    """What was kept and dropped, and each match with both texts side by side (columns of `MATCH`)."""

    filtered: Filtered
    matches: pl.DataFrame


def decontaminate(
    rows: pl.DataFrame,
    items: pl.DataFrame,
    *,
    key: str,
    column: str,
    settings: ContaminationSettings = DEFAULT_SETTINGS,
) -> Contamination:
    """Drop the rows whose text in `column` repeats an item (columns `evaluation_set`, `item`, `text`).

    `key` is the column that names a row in the matches, a string.
    """
    index = _Index(items["text"], settings)
    described = list(items.select("evaluation_set", "item", "text").iter_rows())
    found = [
        (name, text, *described[match.item], match.path, match.share)
        for name, text in rows.select(key, column).iter_rows()
        if (match := index.best(text)) is not None
    ]
    matches = pl.DataFrame(found, schema=MATCH, orient="row")
    hit = pl.col(key).is_in(matches["key"].implode())
    dropped = rows.filter(hit).with_columns(pl.lit(CONTAMINATED).alias(REASON))
    return Contamination(Filtered(rows.filter(~hit), dropped), matches)


@dataclass(frozen=True, slots=True)
class _Match:
    item: int
    path: str
    share: float


class _Index:
    """The n-grams of the items, each with the items that have it."""

    def __init__(self, texts: Iterable[str], settings: ContaminationSettings) -> None:
        self._settings = settings
        self._paths: dict[tuple[str, int], dict[str, list[int]]] = {}
        self._sizes: dict[tuple[str, int, int], int] = {}
        self._short: dict[int, list[str]] = {}
        self._by_figures: dict[str, list[tuple[int, list[str]]]] = defaultdict(list)
        for item, text in enumerate(texts):
            self._add(item, words(text))

    def best(self, text: str) -> _Match | None:
        """The item that a text repeats most fully, or None."""
        return max(self._matches(words(text)), key=lambda match: (match.share, -match.item), default=None)

    def _add(self, item: int, of: list[str]) -> None:
        settings = self._settings
        self._by_figures[figures(of)].append((item, of))
        if len(of) < settings.short_n:
            if of:
                self._enter("whole", len(of), item, of)
                self._short[item] = of
            return
        if len(of) < settings.long_n:
            self._enter("short", settings.short_n, item, of)
            return
        self._enter("long", settings.long_n, item, of)
        self._enter("reworded", settings.short_n, item, of)
        if settings.renumbered:
            self._enter("renumbered", settings.short_n, item, masked(of))

    def _enter(self, path: str, n: int, item: int, of: list[str]) -> None:
        grams = set(ngrams(of, n))
        entries = self._paths.setdefault((path, n), {})
        for gram in grams:
            entries.setdefault(gram, []).append(item)
        self._sizes[path, n, item] = len(grams)

    def _matches(self, of: list[str]) -> Iterator[_Match]:
        settings = self._settings
        least = {"whole": 1.0, "short": settings.short_share, "long": settings.long_share}
        least |= {"reworded": settings.reworded_share, "renumbered": settings.renumbered_share}
        hidden = masked(of) if settings.renumbered else of
        for (path, n), entries in sorted(self._paths.items(), key=lambda entry: _ORDER.index(entry[0][0])):
            grams = set(ngrams(hidden if path == "renumbered" else of, n))
            found = Counter(item for gram in grams & entries.keys() for item in entries[gram])
            for item, count in found.items():
                share = count / self._sizes[path, n, item]
                if share >= least[path] and (path != "whole" or _stands_alone(self._short[item], of)):
                    yield _Match(item, path, share)
        yield from self._near(of)

    def _near(self, of: list[str]) -> Iterator[_Match]:
        """Items with the figures of the row, and nearly its words: other figures are another problem."""
        settings = self._settings
        if settings.near == 1:
            return
        whole = " ".join(of)
        for item, its in self._by_figures.get(figures(of), ()):
            share = fuzz.ratio(whole, " ".join(its)) / 100
            if its and share >= (settings.near if len(its) < settings.long_n else settings.near_long):
                yield _Match(item, "near", share)


def _stands_alone(item: list[str], of: list[str]) -> bool:
    """Whether a short item is the whole text, or stands in it without being cut out of a longer formula.

    One or two words are too common to mean anything inside a longer text.
    """
    if len(item) < _LEAST_WITHIN:
        return item == of
    for start in range(len(of) - len(item) + 1):
        end = start + len(item)
        around = (of[start - 1] if start else "", of[end] if end < len(of) else "")
        if of[start:end] == item and not _SIGNS & set(around):
            return True
    return False
