"""Evaluation sets: the texts that no training problem may repeat, read from any source of problems.

Knows nothing of how texts are compared. Only prompts matter here: an item without an answer is an item all the same.
"""

from collections.abc import Iterable

import polars as pl

from generators.problems.source import ProblemSource, SourceError

ITEM = {"evaluation_set": pl.String, "item": pl.String, "text": pl.String}


def evaluation_items(sources: Iterable[ProblemSource]) -> pl.DataFrame:
    """Return one row per item: its set's name, where in the set it stands, and its prompt.

    Raises SourceError where a set cannot be read or has no prompt: a check against a missing set would find nothing.
    """
    return pl.concat([pl.DataFrame(schema=ITEM), *map(_items, sources)])


def _items(source: ProblemSource) -> pl.DataFrame:
    read = source.candidates()
    rows = pl.concat([read.kept, read.dropped.select(read.kept.columns)])
    items = rows.filter(pl.col("prompt").str.strip_chars().fill_null("") != "").select(
        pl.lit(source.name).alias("evaluation_set"), pl.col("origin").alias("item"), pl.col("prompt").alias("text")
    )
    if items.is_empty():
        raise SourceError(f"evaluation set {source.name} has no prompt: check its columns")
    return items
