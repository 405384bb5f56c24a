"""How many of the problems are hard, in the round and in each config: what a release holds must not be easier.

Solutions of hard problems have more undecided steps, so a config without these would hold few of them.
"""

from collections.abc import Iterator

import polars as pl

from generators.dataset import Figures, Round
from generators.problems.table import PROBLEM_DIFFICULTY
from generators.process_labels.balance import MASKED
from generators.process_labels.table import PROCESS_LABELS
from generators.process_labels.training import CHOSEN, masked, unbalanced
from generators.rows import Rows

MOST = 0.3  # the highest pass rate of a hard problem
TITLE = f"Hard problems (pass rate up to {MOST:g})"
_READ = ("hard_labels", "first_error", "judge", "judge_first_error", "n_attempts", "n_attempts_right")


def hard_problems(round: Round, rows: Rows, label_ratio: float | None) -> Figures:
    """Problems, hard ones, solutions and steps: in the round, in `rows` (of the config `full`) and in each config.

    The problems of the round are those with a decided attempt. Balancing by `label_ratio` counts.
    """
    rates = round.rows(PROBLEM_DIFFICULTY.name).only("problem_id", "pass_rate").drop_nulls("pass_rate")
    nothing = dict.fromkeys(("solutions", "steps_labelled", "steps_labelled_hard", "steps_masked"))
    figures: dict[str, dict[str, float | None]] = {"round": {**_hard(rates), **nothing}}
    for name, solutions in _configs(rows.only(*PROCESS_LABELS.key, *_READ), label_ratio):
        hard = solutions.filter(pl.col("pass_rate") <= MOST)
        figures[name] = {
            **_hard(solutions),
            "solutions": solutions.height,
            "steps_labelled": _labelled(solutions),
            "steps_labelled_hard": _labelled(hard),
            "steps_masked": int(solutions["labels"].list.len().sum()) - _labelled(solutions),
        }
    return figures


def _configs(rows: pl.DataFrame, label_ratio: float | None) -> Iterator[tuple[str, pl.DataFrame]]:
    """The rows of `full` and of every config that has any, each with its pass rate and `labels`."""
    rated = rows.with_columns(pass_rate=(pl.col("n_attempts_right") / pl.col("n_attempts")).fill_nan(None))
    yield "full", masked(rated)
    for name, chosen in CHOSEN.items():
        kept = chosen(rated).kept
        balanced = kept.filter(unbalanced(kept, label_ratio).is_null())
        if balanced.height:
            yield name, balanced


def _labelled(solutions: pl.DataFrame) -> int:
    return int(solutions["labels"].list.eval((pl.element() != MASKED).cast(pl.Int64)).list.sum().sum())


def _hard(rows: pl.DataFrame) -> dict[str, float | None]:
    """The problems of some rows, and how many of them are hard."""
    n = rows["problem_id"].n_unique()
    hard = rows.filter(pl.col("pass_rate") <= MOST)["problem_id"].n_unique()
    return {"problems": n, "hard": hard, "hard_share": hard / n if n else None}
