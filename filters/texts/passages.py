"""Rows that repeat a passage they were shown: worked examples stand in prompts, and must not come back as data.

An example is looked for by its paragraphs, so that a row which copies one of them is found too. Knows no example: texts
with a name come in. How near a copy must be, `filters.texts.contamination` decides.
"""

from collections.abc import Iterable, Sequence

import polars as pl

from filters.rules import REASON, Filtered
from filters.texts.contamination import DEFAULT_SETTINGS, MATCH, Contamination, ContaminationSettings, decontaminate
from filters.texts.words import words

REPEATS_EXAMPLE = "repeats_example"
_NAME = "row_name"


def passages_of(
    texts: Iterable[tuple[str, str]], *, settings: ContaminationSettings = DEFAULT_SETTINGS
) -> pl.DataFrame:
    """The passages of named texts, as items of `filters.texts.contamination`.

    These are the paragraphs of `long_n` words and more; shorter ones say what anybody may say. A text without such a
    paragraph is one passage.
    """
    found = []
    for name, text in texts:
        paragraphs = [part for part in text.split("\n\n") if len(words(part)) >= settings.long_n] or [text]
        found += [("worked_examples", f"{name}, passage {place}", part) for place, part in enumerate(paragraphs)]
    return pl.DataFrame(found, schema=["evaluation_set", "item", "text"], orient="row")


def without_passages(
    rows: pl.DataFrame,
    passages: pl.DataFrame,
    *,
    row: Sequence[str],
    columns: Sequence[str],
    settings: ContaminationSettings = DEFAULT_SETTINGS,
) -> Contamination:
    """Drop the rows that hold a passage, or a near copy, in one of the text `columns`; `row` are the columns of a key.

    Evaluation items are looked through in the same way: their table is `rows` then.
    """
    kept = rows.with_columns(pl.concat_str([pl.col(name).cast(pl.String) for name in row], separator="/").alias(_NAME))
    dropped, matches = [kept.clear()], [pl.DataFrame(schema=MATCH)]
    for column in columns:
        found = decontaminate(kept, passages, key=_NAME, column=column, settings=settings)
        kept = found.filtered.kept
        dropped.append(found.filtered.dropped.drop(REASON))
        matches.append(found.matches)
    reasoned = pl.concat(dropped).with_columns(pl.lit(REPEATS_EXAMPLE).alias(REASON))
    return Contamination(Filtered(kept.drop(_NAME), reasoned.drop(_NAME)), pl.concat(matches))
