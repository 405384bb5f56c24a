"""Rows that copy a worked example: what a prompt shows must not come back as data."""

from collections.abc import Sequence

import polars as pl

from filters.rules import Filtered
from filters.texts.contamination import MATCHES, Match
from filters.texts.passages import passages_of, without_passages
from generators.long_cot_traces.settings import Settings
from generators.long_cot_traces.worked_examples import load_examples, texts_of
from generators.problems.settings import Source


def match_of(source: Source, settings: Settings) -> Match:
    """How copies are recognised. Problems that a program writes may differ from an example in their numbers only."""
    return settings.near_examples or ("verbatim" if source.is_generated else "near")


def example_passages(match: Match) -> pl.DataFrame:
    """Every passage of every example of every collection."""
    return passages_of(texts_of([*load_examples("general"), *load_examples("short")]), settings=MATCHES[match])


def without_examples(rows: pl.DataFrame, *, row: Sequence[str], columns: Sequence[str], match: Match) -> Filtered:
    """Drop the rows that repeat a passage in one of the text `columns`; `row` are the columns of a key."""
    passages = example_passages(match)
    return without_passages(rows, passages, row=row, columns=columns, settings=MATCHES[match]).filtered
