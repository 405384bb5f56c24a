"""Drops rows that repeat a passage of a worked example: examples are part of prompts and must not come back as data.

Examples are searched paragraph by paragraph, so a row that copies one paragraph is caught too. The thresholds are
those of `filters.texts.contamination`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import polars as pl

from filters.rules import REASON, Filtered
from filters.texts.contamination import DEFAULT_SETTINGS, MATCH, Contamination, ContaminationSettings, decontaminate
from filters.texts.words import words

REPEATS_EXAMPLE = "repeats_example"
_NAME = "row_name"


def passages_of(
    texts: Iterable[tuple[str, str]], *, settings: ContaminationSettings = DEFAULT_SETTINGS
) -> pl.DataFrame:
    """The passages of named texts, as items for `filters.texts.contamination`.

    These are the paragraphs of at least `long_n` words; shorter ones are too generic. A text without such a paragraph
    is one passage.
    """
    passages = []
    for name, text in texts:
        paragraphs = [part for part in text.split("\n\n") if len(words(part)) >= settings.long_n] or [text]
        passages += [("worked_examples", f"{name}, passage {number}", part) for number, part in enumerate(paragraphs)]
    return pl.DataFrame(passages, schema=["evaluation_set", "item", "text"], orient="row")


def without_passages(
    rows: pl.DataFrame,
    passages: pl.DataFrame,
    *,
    row: Sequence[str],
    columns: Sequence[str],
    settings: ContaminationSettings = DEFAULT_SETTINGS,
) -> Contamination:
    """Drop the rows that contain a passage, or a near copy, in one of the text `columns`.

    `row` names the key columns. `rows` may be a table of evaluation items too.
    """
    settings = replace(settings, common=None)  # a passage that many rows copy is no template
    kept = rows.with_columns(pl.concat_str([pl.col(name).cast(pl.String) for name in row], separator="/").alias(_NAME))
    dropped, matches = [kept.clear()], [pl.DataFrame(schema=MATCH)]
    for column in columns:
        contamination = decontaminate(kept, passages, key=_NAME, column=column, settings=settings)
        kept = contamination.filtered.kept
        dropped.append(contamination.filtered.dropped.drop(REASON))
        matches.append(contamination.matches)
    reasoned = pl.concat(dropped).with_columns(pl.lit(REPEATS_EXAMPLE).alias(REASON))
    return Contamination(Filtered(kept.drop(_NAME), reasoned.drop(_NAME)), pl.concat(matches))
