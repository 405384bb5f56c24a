"""Evaluation sets, read from any source of problems, and the problems that repeat none of their items.

Knows nothing of how texts are compared. Only prompts matter here: an item without an answer is an item all the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from filters.rules import Filtered
from filters.texts.contamination import MATCH, MATCHES, Contamination, Match, decontaminate
from generators.problems.source import ProblemSource, SourceError

ITEM = {"evaluation_set": pl.String, "item": pl.String, "text": pl.String}


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """A set, and what counts as a repeat of its items.

    `near` finds reworded and renumbered copies; `verbatim` is for procedural sets, whose problems
    differ in their numbers only.
    """

    source: ProblemSource
    match: Match = "near"


def screen(problems: pl.DataFrame, sets: Sequence[EvaluationSet]) -> Contamination:
    """Part the problems in those that repeat no item of any set, and the others; raises SourceError."""
    kept, dropped, matches = problems, [], [pl.DataFrame(schema=MATCH)]
    for match, settings in MATCHES.items():
        items = evaluation_items(one.source for one in sets if one.match == match)
        found = decontaminate(kept, items, key="problem_id", column="prompt", settings=settings)
        kept = found.filtered.kept
        dropped.append(found.filtered.dropped)
        matches.append(found.matches)
    return Contamination(Filtered(kept, pl.concat(dropped)), pl.concat(matches))


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
