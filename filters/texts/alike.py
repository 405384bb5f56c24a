"""Finds the few texts of many that share most words with another one, without comparing it with all of them.

Each text is looked up by its least hashes of words, of pairs and of triples of words. What many texts share is read
last and only in part, so that a look-up costs the same however many texts there are.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from heapq import nsmallest
from itertools import islice

from xxhash import xxh3_64_intdigest

from filters.texts.words import ngrams

# Of two texts at a similarity of 0.4, one pair in 200,000 shares none of its 24 least hashes.
_SKETCH = 24
_LONGEST_RUN = 3
_STEM = 5  # letters by which a single word is looked up: `apple` and `apples` are one
_MOST_READ = 512
MOST_COMPARED = 48


class Alike:
    """Numbered texts, to be looked up by similar words and an equal `kind`, such as the same numbers."""

    def __init__(self) -> None:
        self._kinds: dict[str, list[int]] = defaultdict(list)
        self._by_hash: dict[int, list[int]] = defaultdict(list)

    def add(self, number: int, words: Sequence[str], kind: str) -> None:
        """Remember a text under a number."""
        self._kinds[kind].append(number)
        for value in _sketch(words, kind):
            self._by_hash[value].append(number)

    def near(self, words: Sequence[str], kind: str) -> list[int]:
        """The texts of the kind if they are few, otherwise those that share most hashes; the first ones on a tie."""
        own = self._kinds.get(kind, [])
        if len(own) <= MOST_COMPARED:
            return own
        counts = Counter(islice(self._shared(_sketch(words, kind)), _MOST_READ))
        return nsmallest(MOST_COMPARED, counts, key=lambda number: (-counts[number], number))

    def _shared(self, sketch: Sequence[int]) -> Iterator[int]:
        """The texts under each hash, the rarest hash first."""
        for numbers in sorted((self._by_hash.get(value, []) for value in sketch), key=len):
            yield from numbers


def _sketch(words: Sequence[str], kind: str) -> list[int]:
    seed = xxh3_64_intdigest(kind.encode("utf-8", "surrogatepass"))
    runs = {word[:_STEM] for word in words}
    for length in range(2, _LONGEST_RUN + 1):
        runs.update(ngrams(list(words), length))
    return sorted(xxh3_64_intdigest(run.encode("utf-8", "surrogatepass"), seed) for run in runs)[:_SKETCH]
