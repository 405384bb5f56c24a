"""A source as its slices use it: loaded, verified, and without unfit prompts, repeats and evaluation items.

Which of two problems repeats the other depends on all problems of a source, so it is decided for the whole source.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

import polars as pl

from filters.answers.checker import AnswerChecker
from filters.rules import Filtered
from filters.texts.common import DEFAULT_SETTINGS as DEFAULT_COMMON
from filters.texts.common import CommonSettings
from filters.texts.duplicates import REPEATS, DuplicateSettings, drop_near_duplicates
from filters.texts.embeddings import Embeddings, drop_rephrased
from generators.problems.evaluation import screen
from generators.problems.fit import fit_to_ask
from generators.problems.loading import load_problems
from generators.problems.settings import EvaluationSetSettings, QualitySettings, Source
from generators.problems.shards import shard
from generators.problems.source import Fingerprinted

# Packages whose versions can change a decision about a problem.
_DECIDING = ("mpmath", "pint", "polars", "py3langid", "rapidfuzz", "sympy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """The problems of a source or of a shard, the dropped ones, and those that repeat an evaluation item."""

    kept: pl.DataFrame
    dropped: pl.DataFrame
    repeats: pl.DataFrame

    def shard(self, index: int, of: int) -> "Screened":
        """One shard of them."""
        return Screened(
            kept=shard(self.kept, index=index, of=of),
            dropped=shard(self.dropped, index=index, of=of),
            repeats=shard(self.repeats, index=index, of=of),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """All that decides which problems of a source are kept; `version` is that of the code."""

    source: Source
    quality: QualitySettings
    evaluation_sets: Sequence[EvaluationSetSettings]
    version: str

    async def screened(self) -> Screened:
        """Load, verify and screen the whole source; raises SourceError."""
        source, quality = self.source, self.quality
        with AnswerChecker() as checker:
            loaded = await load_problems(
                source.problems,
                checker=checker,
                max_unverified_share=source.max_unverified_share,
                rule=source.answer_rule,
            )
        fit = fit_to_ask(loaded.kept, quality.prompt_bounds(source))
        embeddings = quality.embeddings()
        unlike = distinct(fit.kept, source.duplicates, common=quality.common, embeddings=embeddings)
        sets = [evaluation.set for evaluation in self.evaluation_sets]
        found = screen(unlike.kept, sets, common=quality.common, embeddings=embeddings)
        dropped = [loaded.dropped, fit.dropped, unlike.dropped, found.filtered.dropped]
        return Screened(
            kept=found.filtered.kept,
            dropped=pl.concat(dropped, how="diagonal_relaxed"),
            repeats=found.matches.rename({"key": "problem_id"}),
        )

    def key(self) -> str | None:
        """What identifies the result: settings, contents of source and evaluation sets, code. None if unknown.

        Raises SourceError if a source cannot be read.
        """
        problems = [self.source.problems, *(evaluation.problems for evaluation in self.evaluation_sets)]
        if not all(isinstance(each, Fingerprinted) for each in problems):
            return None
        decided_by = {
            "source": self.source.model_dump(mode="json"),
            "evaluation_sets": [evaluation.model_dump(mode="json") for evaluation in self.evaluation_sets],
            "quality": self.quality.model_dump(mode="json"),
            "contents": [each.fingerprint() for each in problems if isinstance(each, Fingerprinted)],
            "version": self.version,
            "packages": {name: version(name) for name in _DECIDING},
        }
        return hashlib.blake2b(json.dumps(decided_by, sort_keys=True).encode(), digest_size=12).hexdigest()


def distinct(
    rows: pl.DataFrame,
    settings: DuplicateSettings | None,
    *,
    common: CommonSettings = DEFAULT_COMMON,
    embeddings: Embeddings | None = None,
) -> Filtered:
    """Drop near repeats among the problems, with `embeddings` rephrased ones too; without settings, keep them all.

    A dropped row has the prompt that it repeats (`repeated_prompt`) and the similarity.
    """
    if settings is None:
        return Filtered(rows, rows.clear())
    kept, dropped = _with_repeated(
        rows, drop_near_duplicates(rows, column="prompt", settings=replace(settings, common=common))
    )
    if embeddings is None:
        return Filtered(kept, dropped)
    left, rephrased = _with_repeated(kept, drop_rephrased(kept, column="prompt", embeddings=embeddings))
    return Filtered(left, pl.concat([dropped, rephrased]))


def _with_repeated(rows: pl.DataFrame, filtered: Filtered) -> Filtered:
    repeated = rows["prompt"].gather(filtered.dropped[REPEATS]).alias("repeated_prompt")
    return Filtered(filtered.kept, filtered.dropped.with_columns(repeated).drop(REPEATS))
