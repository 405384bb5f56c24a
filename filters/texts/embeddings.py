"""Rephrased copies, by sentence embeddings: of earlier rows, and of evaluation items.

The stage is optional: any model that sentence-transformers loads. Embeddings hardly see numbers and opposites, so two
texts must also have the same numbers and differ in no opposite. A row is compared with a bounded number of earlier
ones, those that fall on the same side of random planes.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from filters.rules import REASON, Filtered
from filters.texts.contamination import CONTAMINATED, MATCH, Contamination
from filters.texts.contrasts import opposed
from filters.texts.duplicates import REPEATS, SIMILARITY
from filters.texts.instructions import without_instructions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

Encode = Callable[[Sequence[str]], "Vectors"]

REPHRASED = "rephrased"
PATH = "embedding"
_TABLES = 32
_MOST_ROWS = 64
_FEWEST_PLANES, _MOST_PLANES = 4, 14
_SEED = 1
_BATCH = 1024
_BLOCK = 256  # rows whose cosines to all items are in memory at once


class EmbeddingError(RuntimeError):
    """The model cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """How texts become vectors of length 1, and the cosine from which two texts say the same."""

    encode: Encode
    threshold: float = 0.9

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ValueError(f"threshold must be above 0 and at most 1, got {self.threshold}")


def encoder(model: str) -> Encode:
    """A sentence-transformers model, by the id of a Hub repository or by a folder; raises EmbeddingError."""
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as missing:
        raise EmbeddingError(
            f"embedding_model {model!r} needs sentence-transformers ({missing}): pip install 'stepmill[embeddings]'"
        ) from missing
    try:
        loaded: Any = SentenceTransformer(model)
    except (OSError, ValueError) as error:
        raise EmbeddingError(
            f"embedding_model must be the id or the folder of a sentence-transformers model, got {model!r}: {error}"
        ) from error

    def encode(texts: Sequence[str]) -> "Vectors":
        vectors: Vectors = loaded.encode(
            list(texts), normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return vectors

    return encode


def drop_rephrased(rows: pl.DataFrame, *, column: str, embeddings: Embeddings) -> Filtered:
    """Keep the first row of every group that says the same; dropped rows are as those of `duplicates`."""
    texts = _Texts(rows[column].to_list(), embeddings)
    seen = _Seen(texts, embeddings.threshold)
    found = [seen.repeated(number) for number in range(rows.height)]
    marked = rows.with_columns(
        pl.Series(REPEATS, [None if repeat is None else repeat[0] for repeat in found], dtype=pl.Int64),
        pl.Series(SIMILARITY, [None if repeat is None else repeat[1] for repeat in found], dtype=pl.Float64),
    )
    is_kept = pl.col(REPEATS).is_null()
    dropped = marked.filter(~is_kept).with_columns(pl.lit(REPHRASED).alias(REASON))
    return Filtered(marked.filter(is_kept).drop(REPEATS, SIMILARITY), dropped)


def without_rephrased(
    rows: pl.DataFrame, items: pl.DataFrame, *, key: str, column: str, embeddings: Embeddings
) -> Contamination:
    """Drop the rows that say what an item says (columns `evaluation_set`, `item`, `text`), as `decontaminate` does."""
    own, others = _Texts(rows[column].to_list(), embeddings), _Texts(items["text"].to_list(), embeddings)
    described = list(items.select("evaluation_set", "item", "text").iter_rows())
    texts = rows.select(key, column).rows()
    found = [
        (*texts[number], *described[item], PATH, cosine)
        for number, item, cosine in _nearest_items(own, others, embeddings.threshold)
    ]
    matches = pl.DataFrame(found, schema=MATCH, orient="row")
    is_match = pl.col(key).is_in(matches["key"].implode())
    dropped = rows.filter(is_match).with_columns(pl.lit(CONTAMINATED).alias(REASON))
    return Contamination(Filtered(rows.filter(~is_match), dropped), matches)


class _Texts:
    """Texts as words and as vectors; instructions belong to neither."""

    def __init__(self, texts: Sequence[str | None], embeddings: Embeddings) -> None:
        self.words = [without_instructions(text or "") for text in texts]
        joined = [" ".join(words) for words in self.words]
        batches = [embeddings.encode(joined[at : at + _BATCH]) for at in range(0, len(joined), _BATCH)]
        self.vectors: Vectors = np.concatenate(batches) if batches else np.zeros((0, 1), dtype=np.float32)

    def numbers(self, at: int) -> "Counter[str]":
        """The numbers of a text."""
        return Counter(word for word in self.words[at] if word[0].isdigit())


def _nearest_items(own: _Texts, items: _Texts, threshold: float) -> Iterator[tuple[int, int, float]]:
    """Rows that say what an item says as (row, item, cosine): the nearest item whose numbers the row has too.

    Every row is compared with every item, by products of matrices: their cost is small beside that of the embeddings.
    """
    for start in range(0, len(own.words) if items.words else 0, _BLOCK):
        cosines = own.vectors[start : start + _BLOCK] @ items.vectors.T
        for number, row in enumerate(cosines, start=start):
            near = np.flatnonzero(row >= threshold)
            for item in near[np.argsort(-row[near], kind="stable")] if own.words[number] else ():
                if not items.numbers(item) - own.numbers(number) and _may_be_one(own.words[number], items.words[item]):
                    yield number, int(item), float(row[item])
                    break


def _may_be_one(mine: list[str], other: list[str]) -> bool:
    here, there = Counter(mine), Counter(other)
    return not opposed((here - there).elements(), (there - here).elements())


class _Seen:
    """The rows kept so far, each by the sides of random planes that its vector lies on."""

    def __init__(self, texts: _Texts, threshold: float) -> None:
        self._texts, self._threshold = texts, threshold
        planes = min(max(round(math.log2(max(len(texts.words), 1))) - 4, _FEWEST_PLANES), _MOST_PLANES)
        normals = np.random.default_rng(_SEED).standard_normal((texts.vectors.shape[1], _TABLES * planes))
        sides = texts.vectors @ normals.astype(np.float32) > 0
        self._codes = sides.reshape(-1, _TABLES, planes) @ (1 << np.arange(planes))
        self._kept: dict[tuple[str, int, int], list[int]] = defaultdict(list)

    def repeated(self, number: int) -> tuple[int, float] | None:
        """The kept row that a row rephrases, and the cosine; None if there is none, and then it is kept."""
        if not self._texts.words[number]:
            return None
        numbers = " ".join(sorted(self._texts.numbers(number).elements()))
        keys = [(numbers, table, int(code)) for table, code in enumerate(self._codes[number])]
        near = sorted(set(chain.from_iterable(self._kept.get(key, ()) for key in keys)))
        cosines = self._texts.vectors[near] @ self._texts.vectors[number]
        for at in np.argsort(-cosines, kind="stable"):
            if cosines[at] < self._threshold:
                break
            if _may_be_one(self._texts.words[near[at]], self._texts.words[number]):
                return near[at], float(cosines[at])
        for key in keys:
            if len(self._kept[key]) < _MOST_ROWS:
                self._kept[key].append(number)
        return None
