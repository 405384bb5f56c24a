"""Which attempts are fit for labels, right or wrong: complete, in one script, without loops, unlike the others.

Blocks of a table are read twice: a length is unusual among the lengths of all. Everything else is of one problem.
"""

from collections.abc import Callable, Iterable

import polars as pl

from filters.rules import REASON, Filtered, apply_rules
from filters.texts.diversity import DiversitySettings, keep_different
from filters.texts.duplicates import DuplicateSettings, drop_near_duplicates
from filters.texts.loops import no_loops, usual_lengths
from filters.texts.quality import not_truncated, one_script
from generators.problems.settings import QualitySettings

FIT_COLUMNS = ("problem_id", "attempt_index", "text", "finish_reason", "is_right")  # what it reads of the attempts
ROW = "row"
Blocks = Callable[[], Iterable[pl.DataFrame]]
_SAME = ("problem_id", "is_right")


def fit_to_label(attempts: pl.DataFrame, quality: QualitySettings) -> Filtered:
    """Keep the attempts worth labelling; dropped rows have a reason."""
    unfit = unfit_to_label(lambda: [attempts], quality)
    dropped = attempts[unfit[ROW]].with_columns(unfit[REASON])
    return Filtered(attempts.with_row_index(ROW).join(unfit, on=ROW, how="anti").drop(ROW), dropped)


def unfit_to_label(blocks: Blocks, quality: QualitySettings) -> pl.DataFrame:
    """The numbers of the rows that are not worth labelling, each with its reason; a block holds whole problems.

    Broken attempts are dropped first, so that they neither shift a percentile nor hide a sound solution that resembles
    them. Solutions with different numbers are different, however similar their words, and a right solution never
    counts as a repeat of a wrong one. Of solutions that repeat each other, the one of the lowest index is kept,
    wherever it stands.
    """
    nothing = pl.DataFrame(schema={"length": pl.UInt32, REASON: pl.String})
    checked = pl.concat([nothing, *map(_checked, blocks())]).with_row_index(ROW)
    usual = apply_rules(
        checked.filter(pl.col(REASON).is_null()).drop(REASON),
        usual_lengths(pl.col("length"), lower=quality.shortest_percentile, upper=quality.longest_percentile),
    )
    unlike: list[pl.DataFrame] = []
    different: list[pl.DataFrame] = []
    start = 0
    for block in blocks():
        numbered = block.with_row_index(ROW, offset=start).join(usual.kept, on=ROW, how="semi", maintain_order="left")
        start += block.height
        for found, dropped in zip((unlike, different), _repeated(numbered.sort("attempt_index"), quality), strict=True):
            found.append(dropped.select(ROW, REASON).sort(ROW))
    broken = [checked.filter(pl.col(REASON).is_not_null()).select(ROW, REASON), usual.dropped.select(ROW, REASON)]
    return pl.concat([*broken, *unlike, *different])


def _checked(block: pl.DataFrame) -> pl.DataFrame:
    """What is wrong with each attempt by itself, null if nothing is, and how long its text is."""
    rules = {**not_truncated(), **one_script("text"), **no_loops("text")}
    numbered = block.select(FIT_COLUMNS).with_row_index(ROW)
    wrong = apply_rules(numbered, rules).dropped.select(ROW, REASON)
    length = pl.col("text").str.len_chars().alias("length")
    return numbered.select(ROW, length).join(wrong, on=ROW, how="left", maintain_order="left").drop(ROW)


def _repeated(usual: pl.DataFrame, quality: QualitySettings) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The attempts that repeat another one, and those that are less different than as many others as are wanted."""
    repeats = DuplicateSettings(threshold=quality.near_duplicates, same_question=False, common=None)
    unlike = drop_near_duplicates(usual, column="text", within=_SAME, settings=repeats)
    diversity = DiversitySettings(most=quality.most_per_verdict)
    different = keep_different(unlike.kept, column="text", within=_SAME, settings=diversity)
    return unlike.dropped, different.dropped
