"""Finds rows that repeat an evaluation item: verbatim, inside a longer text, lightly reworded, or renumbered.

A row repeats an item when it contains enough of the item's word n-grams. Items too short for n-grams must occur whole
and standing alone. A row with an item's numbers and signs, and nearly its words, repeats it as well.

Items are compared without instructions, and without what they share with each other or with many rows: a template. A
row that has an item's identity or setting, but asks something else, is no repeat.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl
from rapidfuzz import fuzz

from filters.rules import REASON, Filtered
from filters.texts.alike import Alike
from filters.texts.common import DEFAULT_SETTINGS as DEFAULT_COMMON
from filters.texts.common import CommonSettings, common_of
from filters.texts.held import Held, hashes_of
from filters.texts.instructions import without_instructions
from filters.texts.respelling import comparable
from filters.texts.sameness import holds_problem, same_problem
from filters.texts.words import figures, masked

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

    Items of at least `long_n` words match by n-grams of that length (`long_share`) or, when reworded, by n-grams of
    length `short_n` (`reworded_share`). Items between the two lengths match by n-grams of length `short_n`
    (`short_share`), more strictly, because problems of one template share half of them.

    With `renumbered`, texts are also compared with all numbers masked. That suits written problems, but not procedural
    ones, which differ in nothing else. `near` is the minimum similarity (0 to 1) of a whole row to an item with the
    same numbers and signs; `near_long` applies to items of at least `long_n` words. A `near` of 1 switches that path
    off. `common` says which passages belong to a template; with None, instructions and templates count like the rest.
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
    common: CommonSettings | None = DEFAULT_COMMON

    def __post_init__(self) -> None:
        if self.short_n < 2:
            raise ValueError(f"short_n must be at least 2, got {self.short_n}")
        if self.long_n <= self.short_n:
            raise ValueError(f"long_n must be above short_n ({self.short_n}), got {self.long_n}")
        for name in ("long_share", "short_share", "reworded_share", "renumbered_share", "near", "near_long"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1, got {getattr(self, name)}")


_MIN_WITHIN = 3
_MOST_READ = 16
_SIGNS = frozenset("+-*/^=<>%")
# On equal shares, the more specific path is reported.
_ORDER = ("whole", "long", "short", "reworded", "renumbered", "near")
DEFAULT_SETTINGS = ContaminationSettings()
# For procedural problems, which differ in their numbers only.
VERBATIM = ContaminationSettings(long_share=1.0, short_share=1.0, reworded_share=1.0, renumbered=False, near=1.0)
MATCHES: Mapping[Match, ContaminationSettings] = {"near": DEFAULT_SETTINGS, "verbatim": VERBATIM}


@dataclass(frozen=True, slots=True)
class Contamination:
    """The kept and dropped rows, and each match with both texts (columns of `MATCH`)."""

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

    `key` is the string column that identifies a row in the matches.
    """
    texts = _Texts(rows[column].to_list(), items, settings.common)
    index = _Index(texts.items(items), settings)
    described = list(items.select("evaluation_set", "item", "text").iter_rows())
    matched_rows = [
        (name, text, *described[match.item], match.path, match.share)
        for name, text in rows.select(key, column).iter_rows()
        if (match := index.best(*texts.row(text))) is not None
    ]
    matches = pl.DataFrame(matched_rows, schema=MATCH, orient="row")
    is_match = pl.col(key).is_in(matches["key"].implode())
    dropped = rows.filter(is_match).with_columns(pl.lit(CONTAMINATED).alias(REASON))
    return Contamination(Filtered(rows.filter(~is_match), dropped), matches)


@dataclass(frozen=True, slots=True)
class _Match:
    item: int
    path: str
    share: float


class _Texts:
    """Texts as comparable words, without instructions and templates."""

    def __init__(self, rows: Sequence[str | None], items: pl.DataFrame, settings: CommonSettings | None) -> None:
        self._split = comparable if settings is None else without_instructions
        self._rows = common_of(rows, self._words, settings)
        self._sets = {
            name[0]: common_of(own["text"].to_list(), self._words, settings)
            for name, own in items.group_by("evaluation_set")
        }

    def items(self, items: pl.DataFrame) -> list[list[str]]:
        """The words that tell the items apart."""
        return [
            self._rows.left(self._sets[name].left(self._words(text)))
            for name, text in items.select("evaluation_set", "text").iter_rows()
        ]

    def row(self, text: str | None) -> tuple[list[str], list[str]]:
        """The words of a row, and those that are left without its template."""
        words = self._words(text)
        return words, self._rows.left(words)

    def _words(self, text: str | None) -> list[str]:
        return self._split(text or "")


class _Index:
    """The items, to be looked up by their n-grams, and by similar words next to equal numbers."""

    def __init__(self, items: Iterable[list[str]], settings: ContaminationSettings) -> None:
        self._settings = settings
        self._least = {"whole": 1.0, "short": settings.short_share, "long": settings.long_share} | {
            "reworded": settings.reworded_share,
            "renumbered": settings.renumbered_share,
        }
        self._paths: dict[tuple[str, int], Held] = {}
        self._items: list[list[str]] = []
        self._joined: list[str] = []
        self._alike = Alike()
        for item, tokens in enumerate(items):
            self._add(item, tokens)
        self._ordered = sorted(self._paths.items(), key=lambda entry: _ORDER.index(entry[0][0]))

    def best(self, tokens: list[str], left: list[str]) -> _Match | None:
        """The item that a text repeats with the largest share, or None; `left` is the text without its template."""
        matches = sorted(
            self._matches(tokens, left), key=lambda match: (-match.share, match.item, _ORDER.index(match.path))
        )
        return next((match for match in matches[:_MOST_READ] if self._is_asked(match, tokens, left)), None)

    def _is_asked(self, match: _Match, tokens: list[str], left: list[str]) -> bool:
        """Whether the row asks what the item asks; a share of the n-grams may be an identity, or the setting."""
        item = self._items[match.item]
        if match.path == "near":
            return same_problem(item, left)
        return match.path == "whole" or holds_problem(tokens, item, mask=self._settings.renumbered)

    def _add(self, item: int, tokens: list[str]) -> None:
        settings = self._settings
        self._items.append(tokens)
        self._joined.append(" ".join(tokens))
        if tokens:
            self._alike.add(item, tokens, figures(tokens))
        if len(tokens) < settings.short_n:
            if tokens:
                self._hold("whole", len(tokens), item, tokens)
            return
        if len(tokens) < settings.long_n:
            self._hold("short", settings.short_n, item, tokens)
            return
        self._hold("long", settings.long_n, item, tokens)
        self._hold("reworded", settings.short_n, item, tokens)
        if settings.renumbered:
            self._hold("renumbered", settings.short_n, item, masked(tokens))

    def _hold(self, path: str, n: int, item: int, tokens: list[str]) -> None:
        if (path, n) not in self._paths:
            self._paths[path, n] = Held(n, self._least[path])
        self._paths[path, n].add(item, tokens)

    def _matches(self, tokens: list[str], left: list[str]) -> Iterator[_Match]:
        masked_words = masked(tokens) if self._settings.renumbered else tokens
        grams: dict[tuple[bool, int], frozenset[int]] = {}
        for (path, n), held in self._ordered:
            is_masked = path == "renumbered"
            if (is_masked, n) not in grams:
                grams[is_masked, n] = hashes_of(masked_words if is_masked else tokens, n)
            for item, share in held.shares(grams[is_masked, n]):
                if path != "whole" or _stands_alone(self._items[item], tokens, left):
                    yield _Match(item, path, share)
        yield from self._near(left)

    def _near(self, tokens: list[str]) -> Iterator[_Match]:
        """Items with the row's numbers and signs and nearly its words; other numbers make it another problem."""
        settings = self._settings
        if settings.near == 1:
            return
        text = " ".join(tokens)
        for item in self._alike.near(tokens, figures(tokens)):
            least = settings.near if len(self._items[item]) < settings.long_n else settings.near_long
            similarity = fuzz.ratio(text, self._joined[item], score_cutoff=100 * least) / 100
            if similarity >= least:
                yield _Match(item, "near", similarity)


def _stands_alone(item: list[str], tokens: list[str], left: list[str]) -> bool:
    """Whether a short item is the whole text, or occurs in it without being part of a longer formula.

    Items of one or two words are too common, so they must be the whole text, or all that is left of it.
    """
    if len(item) < _MIN_WITHIN or item == left:
        return item in (tokens, left)
    for start in range(len(tokens) - len(item) + 1):
        end = start + len(item)
        around = (tokens[start - 1] if start else "", tokens[end] if end < len(tokens) else "")
        if tokens[start:end] == item and not _SIGNS & set(around):
            return True
    return False
