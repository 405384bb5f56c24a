"""Two MinHash libraries on the same documents: how fast they sketch and query, and how true their estimates are.

Knows sets of shingles, and nothing of what they came from. Both have the same permutations, bands and order of work:
every document is sketched, then each one in turn asks the index for candidates and enters it.
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
    """One library: how a document is sketched, and how an index of sketches is made."""

    sketch: Callable[[Document], Any]
    index: Callable[[], Any]


def rensa() -> Library:
    """The library that the filters use."""

    def sketch(document: Document) -> Any:
        made = RMinHash(PERMUTATIONS, _SEED)
        made.update(list(document))
        return made

    return Library(sketch, index=lambda: RMinHashLSH(THRESHOLD, PERMUTATIONS, BANDS))


def usual() -> Library:
    """The usual library."""

    def sketch(document: Document) -> Any:
        made = datasketch.MinHash(num_perm=PERMUTATIONS, seed=_SEED)
        made.update_batch([shingle.encode() for shingle in document])
        return made

    bands = (BANDS, PERMUTATIONS // BANDS)
    return Library(sketch, index=lambda: datasketch.MinHashLSH(num_perm=PERMUTATIONS, params=bands))


def measured(
    library: Library, documents: Sequence[Document], pairs: Sequence[tuple[Document, Document]]
) -> dict[str, float]:
    """Documents a second of sketching and of querying, and the mean absolute error of the estimated similarity."""
    began = time.perf_counter()
    sketches = [library.sketch(document) for document in documents]
    sketched = time.perf_counter()
    index = library.index()
    for name, made in enumerate(sketches):
        index.query(made)
        index.insert(name, made)
    queried = time.perf_counter()
    errors = [abs(library.sketch(one).jaccard(library.sketch(other)) - jaccard(one, other)) for one, other in pairs]
    return {
        "sketched_per_s": round(len(documents) / (sketched - began)),
        "queried_per_s": round(len(documents) / (queried - sketched)),
        "mean_absolute_error": round(sum(errors) / len(errors), 4),
    }
