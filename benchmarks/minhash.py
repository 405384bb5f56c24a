"""Compares two MinHash libraries on the same documents: speed of sketching and querying, and accuracy of estimates.

Both use the same permutations, bands and order of work: every document is sketched, then each in turn queries the index
for candidates and is inserted.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import datasketch
from rensa import RMinHash, RMinHashLSH

from filters.texts.shingles import jaccard

PERMUTATIONS = 128
BANDS = 32
THRESHOLD = 0.5
_SEED = 1

Document = frozenset[str]


@dataclass(frozen=True, slots=True)
class Library:
    """A MinHash library: how to sketch a document, and how to create an index of sketches."""

    sketch: Callable[[Document], Any]
    index: Callable[[], Any]


def rensa() -> Library:
    """rensa, the library that the filters use."""

    def sketch(document: Document) -> Any:
        minhash = RMinHash(PERMUTATIONS, _SEED)
        minhash.update(list(document))
        return minhash

    return Library(sketch, index=lambda: RMinHashLSH(THRESHOLD, PERMUTATIONS, BANDS))


def standard() -> Library:
    """datasketch, the standard Python library."""

    def sketch(document: Document) -> Any:
        minhash = datasketch.MinHash(num_perm=PERMUTATIONS, seed=_SEED)
        minhash.update_batch([shingle.encode() for shingle in document])
        return minhash

    bands = (BANDS, PERMUTATIONS // BANDS)
    return Library(sketch, index=lambda: datasketch.MinHashLSH(num_perm=PERMUTATIONS, params=bands))


def measured(
    library: Library, documents: Sequence[Document], pairs: Sequence[tuple[Document, Document]]
) -> dict[str, float]:
    """Documents per second for sketching and for querying, and the mean absolute error of the estimated similarity."""
    began = time.perf_counter()
    sketches = [library.sketch(document) for document in documents]
    sketched = time.perf_counter()
    index = library.index()
    for name, sketch in enumerate(sketches):
        index.query(sketch)
        index.insert(name, sketch)
    queried = time.perf_counter()
    errors = [abs(library.sketch(left).jaccard(library.sketch(right)) - jaccard(left, right)) for left, right in pairs]
    return {
        "sketched_per_s": round(len(documents) / (sketched - began)),
        "queried_per_s": round(len(documents) / (queried - sketched)),
        "mean_absolute_error": round(sum(errors) / len(errors), 4),
    }
