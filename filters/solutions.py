"""Which attempts are fit to be labelled or trained on, whatever their verdict: whole, moving on, unlike the others.

Knows the columns `problem_id`, `text` and `finish_reason` of the attempts, and no recipe.
"""

from dataclasses import dataclass

import polars as pl

from filters.duplicates import REPEATS, SIMILARITY, DuplicateSettings, drop_near_duplicates
from filters.lengths import no_length_outliers
from filters.loops import no_loops
from filters.quality import not_truncated, one_script
from filters.rules import Filtered, apply_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionBounds:
    """From which similarity a solution repeats another of its problem, and which percentiles of length are usual.

    Solutions with other numbers are other solutions, however alike their words.
    """

    near_duplicates: float = 0.7
    shortest: float = 0.5
    longest: float = 99.5

    def __post_init__(self) -> None:
        if not 0.3 <= self.near_duplicates <= 1:
            raise ValueError(f"near_duplicates must be from 0.3 to 1, got {self.near_duplicates}")
        if not 0 <= self.shortest < 50:
            raise ValueError(f"shortest must be at least 0 and below 50, got {self.shortest}")
        if not 50 < self.longest <= 100:
            raise ValueError(f"longest must be above 50 and at most 100, got {self.longest}")


DEFAULT_BOUNDS = SolutionBounds()


def fit_to_label(attempts: pl.DataFrame, bounds: SolutionBounds = DEFAULT_BOUNDS) -> Filtered:
    """Keep the attempts that are worth a label; the others have their reason.

    What is broken goes first, so that it shifts no percentile and hides no sound solution that it repeats.
    """
    whole = apply_rules(attempts, {**not_truncated(), **one_script("text"), **no_loops("text")})
    usual = whole.then(no_length_outliers("text", lower=bounds.shortest, upper=bounds.longest))
    settings = DuplicateSettings(threshold=bounds.near_duplicates)
    unlike = drop_near_duplicates(usual.kept, column="text", within="problem_id", settings=settings)
    repeats = unlike.dropped.drop(REPEATS, SIMILARITY)
    return Filtered(unlike.kept, pl.concat([usual.dropped, repeats], how="diagonal_relaxed"))
