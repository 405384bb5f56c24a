"""Which items of many a text holds enough word n-grams of, without touching those that share only a template with it.

A text that holds a share of an item's n-grams holds at least one of its rarest: of ten n-grams, seven of which must be
there, one of any four. So items are looked up by their rarest n-grams alone, and the share is counted exactly.
"""

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator

from xxhash import xxh3_64_intdigest

from filters.texts.words import ngrams

_MOST_COMPARED = 1024  # items of one text, those with its rarest n-grams first


def hashes_of(tokens: list[str], n: int) -> frozenset[int]:
    """The n-grams as hashes of 64 bits."""
    return frozenset(xxh3_64_intdigest(gram.encode("utf-8", "surrogatepass")) for gram in ngrams(tokens, n))


class Held:
    """Items by their n-grams, at least a share `least` of which makes a match."""

    def __init__(self, n: int, least: float) -> None:
        self.n = n
        self._least = least
        self._grams: dict[int, array[int]] = {}
        self._by_rare: dict[int, list[int]] | None = None

    def add(self, item: int, tokens: list[str]) -> None:
        """Remember an item; it has at least `n` words."""
        self._grams[item] = array("Q", sorted(hashes_of(tokens, self.n)))
        self._by_rare = None

    def shares(self, grams: frozenset[int]) -> Iterator[tuple[int, float]]:
        """The items of which enough is among the n-grams of a text, each with the share of it that is."""
        for item in self.candidates(grams):
            own = self._grams[item]
            share = len(grams.intersection(own)) / len(own)
            if share >= self._least:
                yield item, share

    def candidates(self, grams: frozenset[int]) -> list[int]:
        """The items that are compared with a text: those with a rare n-gram of it, the rarest first."""
        if self._by_rare is None:
            self._by_rare = self._indexed()
        by_rare = self._by_rare
        found: dict[int, None] = {}
        for items in sorted((by_rare[gram] for gram in grams & by_rare.keys()), key=lambda items: (len(items), items)):
            found.update(dict.fromkeys(items[: _MOST_COMPARED - len(found)]))
            if len(found) >= _MOST_COMPARED:
                break
        return list(found)

    def _indexed(self) -> dict[int, list[int]]:
        """The items under each of their rarest n-grams, one more than a text may lack of them."""
        frequency = Counter(gram for own in self._grams.values() for gram in own)
        by_rare: dict[int, list[int]] = defaultdict(list)
        for item, own in self._grams.items():
            lacking = len(own) - math.ceil(self._least * len(own) - 1e-9)
            for gram in sorted(own, key=lambda gram: (frequency[gram], gram))[: lacking + 1]:
                by_rare[gram].append(item)
        return dict(by_rare)
