"""A text as the set of its word n-grams, and how alike two such sets are.

Knows nothing of what the texts are compared for.
"""

from filters.texts.words import ngrams, words


def shingles(of: list[str], n: int) -> frozenset[str]:
    """Every run of `n` words; of a shorter text, the whole of it."""
    return frozenset(ngrams(of, n) or [" ".join(of)])


def shingles_of(text: str | None, n: int) -> frozenset[str]:
    """The shingles of a text; a missing text is a blank one."""
    return shingles(words(text or ""), n)


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of the shingles of either that both have; none of the two is empty."""
    return len(one & other) / len(one | other)
