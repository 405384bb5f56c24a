"""Texts as sets of word n-grams (shingles), and the similarity of two such sets."""

from filters.texts.words import ngrams, words


def shingles(tokens: list[str], n: int) -> frozenset[str]:
    """Every run of `n` words; for a shorter text, the whole text."""
    return frozenset(ngrams(tokens, n) or [" ".join(tokens)])


def shingles_of(text: str | None, n: int) -> frozenset[str]:
    """The shingles of a text; a missing text counts as blank."""
    return shingles(words(text or ""), n)


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    """The Jaccard similarity of two non-empty sets: size of the intersection over size of the union."""
    return len(left & right) / len(left | right)
