"""The worked examples as passages to look for: what a prompt shows must not come back as data.

Knows the examples of every collection, whichever was shown, and no table.
"""

from collections.abc import Sequence

import polars as pl

from filters.rules import Filtered
from filters.texts.contamination import MATCHES, Match
from filters.texts.passages import passages_of, without_passages
from generators.long_cot_traces.prompt import load_examples, texts_of


def example_passages(match: Match) -> pl.DataFrame:
    """Every passage of every example, as `match` looks for them."""
    return passages_of(texts_of([*load_examples("general"), *load_examples("short")]), settings=MATCHES[match])


def without_examples(rows: pl.DataFrame, *, row: Sequence[str], columns: Sequence[str], match: Match) -> Filtered:
    """Drop the rows that repeat a passage in one of the text `columns`; `row` are the columns of a key."""
    passages = example_passages(match)
    return without_passages(rows, passages, row=row, columns=columns, settings=MATCHES[match]).filtered
