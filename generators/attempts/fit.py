"""Which attempts are fit to be labelled or trained on, right or wrong: whole, moving on, unlike the others.

Knows the columns `problem_id`, `text`, `finish_reason` and `is_right` of the attempts, and no recipe.
"""

from dataclasses import dataclass

import polars as pl

from filters.rules import Filtered, apply_rules
from filters.texts.diversity import DiversitySettings, keep_different
from filters.texts.duplicates import REPEATS, SIMILARITY, DuplicateSettings, drop_near_duplicates
from filters.texts.lengths import no_length_outliers
from filters.texts.loops import no_loops
from filters.texts.quality import not_truncated, one_script

_SAME = ("problem_id", "is_right")


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionBounds:
    """From which similarity a solution repeats another of its problem, how many stay, which percentiles are usual.

    Solutions with other numbers are other solutions, however alike their words, and a right one never repeats a wrong
    one. `most_per_verdict` right and as many wrong ones of a problem stay at most, chosen to differ.
    """

    near_duplicates: float = 0.7
    most_per_verdict: int = 8
    shortest: float = 0.5
    longest: float = 99.5

    def __post_init__(self) -> None:
        if not 0.3 <= self.near_duplicates <= 1:
            raise ValueError(f"near_duplicates must be from 0.3 to 1, got {self.near_duplicates}")
        if self.most_per_verdict < 1:
            raise ValueError(f"most_per_verdict must be at least 1, got {self.most_per_verdict}")
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
    repeats = DuplicateSettings(threshold=bounds.near_duplicates)
    unlike = drop_near_duplicates(usual.kept, column="text", within=_SAME, settings=repeats)
    few = DiversitySettings(most=bounds.most_per_verdict)
    different = keep_different(unlike.kept, column="text", within=_SAME, settings=few)
    dropped = [usual.dropped, unlike.dropped.drop(REPEATS, SIMILARITY), different.dropped]
    return Filtered(different.kept, pl.concat(dropped, how="diagonal_relaxed"))
