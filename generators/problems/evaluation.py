"""Evaluation sets, read from any problem source, and decontamination of problems against their items.

Only prompts matter here, so an item without an answer still counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from filters.rules import Filtered
from filters.texts.common import DEFAULT_SETTINGS as DEFAULT_COMMON
from filters.texts.common import CommonSettings
from filters.texts.contamination import MATCH, MATCHES, Contamination, Match, decontaminate
from filters.texts.embeddings import Embeddings, without_rephrased
from generators.problems.source import ProblemSource, SourceError

ITEM = {"evaluation_set": pl.String, "item": pl.String, "text": pl.String}


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """An evaluation set, and what counts as a repeat of its items.

    `near` finds reworded and renumbered copies; `verbatim` is for procedural sets, whose problems differ only in their
    numbers.
    """

    source: ProblemSource
    match: Match = "near"


def screen(
    problems: pl.DataFrame,
    sets: Sequence[EvaluationSet],
    *,
    common: CommonSettings = DEFAULT_COMMON,
    embeddings: Embeddings | None = None,
) -> Contamination:
    """Separate the problems that repeat an item of any set from those that do not; raises SourceError.

    `common` says which passages belong to a template. With `embeddings`, rephrased copies of items are found as well.
    """
    kept, dropped, matches = problems, [], [pl.DataFrame(schema=MATCH)]
    for match, settings in MATCHES.items():
        items = evaluation_items(evaluation.source for evaluation in sets if evaluation.match == match)
        found = [
            decontaminate(kept, items, key="problem_id", column="prompt", settings=replace(settings, common=common))
        ]
        if embeddings is not None and match == "near":
            left = found[0].filtered.kept
            found.append(without_rephrased(left, items, key="problem_id", column="prompt", embeddings=embeddings))
        kept = found[-1].filtered.kept
        dropped += [contamination.filtered.dropped for contamination in found]
        matches += [contamination.matches for contamination in found]
    return Contamination(Filtered(kept, pl.concat(dropped)), pl.concat(matches))


def evaluation_items(sources: Iterable[ProblemSource]) -> pl.DataFrame:
    """Return one row per item: its set's name, its position in the set, and its prompt.

    Raises SourceError if a set cannot be read or has no prompt, since a check against a missing set would find nothing.
    """
    return pl.concat([pl.DataFrame(schema=ITEM), *map(_items, sources)])


def _items(source: ProblemSource) -> pl.DataFrame:
    candidates = source.candidates()
    rows = pl.concat([candidates.kept, candidates.dropped.select(candidates.kept.columns)])
    items = rows.filter(pl.col("prompt").str.strip_chars().fill_null("") != "").select(
        pl.lit(source.name).alias("evaluation_set"), pl.col("origin").alias("item"), pl.col("prompt").alias("text")
    )
    if items.is_empty():
        raise SourceError(f"evaluation set {source.name} has no prompt: check its columns")
    return items
