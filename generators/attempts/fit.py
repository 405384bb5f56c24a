"""Which attempts are fit for labels, right or wrong: complete, in one script, without loops, unlike the others.

It reads the columns `problem_id`, `text`, `finish_reason` and `is_right` of the attempts.
"""

import polars as pl

from filters.rules import Filtered, apply_rules
from filters.texts.diversity import DiversitySettings, keep_different
from filters.texts.duplicates import REPEATS, SIMILARITY, DuplicateSettings, drop_near_duplicates
from filters.texts.loops import no_length_outliers, no_loops
from filters.texts.quality import not_truncated, one_script
from generators.problems.settings import QualitySettings

_SAME = ("problem_id", "is_right")


def fit_to_label(attempts: pl.DataFrame, quality: QualitySettings) -> Filtered:
    """Keep the attempts worth labelling; dropped rows have a reason.

    Broken attempts are dropped first, so that they neither shift a percentile nor hide a sound solution that resembles
    them. Solutions with different numbers are different, however similar their words, and a right solution never
    counts as a repeat of a wrong one.
    """
    clean = apply_rules(attempts, {**not_truncated(), **one_script("text"), **no_loops("text")})
    usual = clean.then(no_length_outliers("text", lower=quality.shortest_percentile, upper=quality.longest_percentile))
    repeats = DuplicateSettings(threshold=quality.near_duplicates, same_question=False, common=None)
    unlike = drop_near_duplicates(usual.kept, column="text", within=_SAME, settings=repeats)
    diversity = DiversitySettings(most=quality.most_per_verdict)
    different = keep_different(unlike.kept, column="text", within=_SAME, settings=diversity)
    dropped = [usual.dropped, unlike.dropped.drop(REPEATS, SIMILARITY), different.dropped]
    return Filtered(different.kept, pl.concat(dropped, how="diagonal_relaxed"))
