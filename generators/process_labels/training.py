"""The configs for training: which solutions each of them holds, and their labels as trainers read them.

A step whose label is not sure is masked. Leaving out its whole solution would select easy problems: at low pass rates
most wrong solutions have such a step.
"""

from collections.abc import Callable, Mapping

import polars as pl

from filters.rules import Filtered, apply_rules
from filters.schema import Column, Schema
from generators.columns import COUNTS, each, length
from generators.dataset import Parameters
from generators.process_labels.balance import MASKED, NO_LABEL, left_out
from generators.process_labels.consensus import same_first_error
from generators.process_labels.table import PROCESS_LABELS

Chosen = Callable[[pl.DataFrame], Filtered]  # rows with `hard_labels` to those that a config holds, with `labels`

_RIGHT, _WRONG = 1, 0
_HAS_LABEL = pl.col("labels").list.eval(pl.element() != MASKED).list.any()

STEPWISE = Schema(
    name="process_labels/default",
    columns={
        "prompt": Column(pl.String, "The problem."),
        "completions": Column(pl.List(pl.String), "The steps, without the white space around them."),
        "labels": Column(
            COUNTS, f"For each step, 1 if it is right and 0 if it is wrong; {MASKED}, which losses ignore, if not sure."
        ),
    },
    rules={
        "labels: one_per_step": length("completions") == length("labels"),
        "labels: known": each("labels", pl.element().is_in([_RIGHT, _WRONG, MASKED])),
        "labels: not_all_masked": _HAS_LABEL,
    },
)
TRUNCATED = Schema(
    name="process_labels/truncated",
    columns=STEPWISE.columns,
    rules={
        **STEPWISE.rules,
        "labels: wrong_at_most_at_the_end": pl.col("labels")
        .list.head(length("labels") - 1)
        .list.eval(pl.element() != _WRONG)
        .list.all(),
    },
)


def masked(rows: pl.DataFrame) -> pl.DataFrame:
    """Add `labels`, one for each hard label; what is not sure is masked."""
    labels = pl.col("hard_labels").list.eval(pl.element().cast(pl.Int64).fill_null(MASKED))
    return rows.with_columns(labels.alias("labels"))


def stepwise(rows: pl.DataFrame) -> Filtered:
    """The solutions with a label on any step."""
    return apply_rules(masked(rows), {NO_LABEL: _HAS_LABEL})


def truncated(rows: pl.DataFrame) -> Filtered:
    """The same solutions up to the first step whose label is wrong."""
    return apply_rules(_up_to_wrong(masked(rows)), {NO_LABEL: _HAS_LABEL})


def consensus(rows: pl.DataFrame) -> Filtered:
    """The solutions on whose first error the judge agrees, up to it."""
    rules = {"no_judge": pl.col("judge").is_not_null(), **same_first_error()}
    return apply_rules(_up_to_wrong(masked(rows)), rules)


CHOSEN: Mapping[str, Chosen] = {"default": stepwise, "truncated": truncated, "consensus": consensus}


def texts_of(chosen: Chosen) -> Callable[[pl.DataFrame, Parameters], Filtered]:
    """What derives a config: prompt, steps and labels of the chosen rows, with the key that they are balanced by."""

    def derive(rows: pl.DataFrame, _: Parameters) -> Filtered:
        kept, dropped = chosen(rows)
        # Trainers put their own separator between steps.
        steps = pl.col("steps").list.head(length("labels")).list.eval(pl.element().str.strip_chars())
        return Filtered(kept.select(*PROCESS_LABELS.key, "prompt", steps.alias("completions"), "labels"), dropped)

    return derive


def unbalanced(rows: pl.DataFrame, label_ratio: float | None) -> pl.Series:
    """Why a row is left out where a ratio bounds the labels; null for one that is kept."""
    if label_ratio is None:
        return pl.Series([None] * rows.height, dtype=pl.String)
    return left_out(rows, labels="labels", key=PROCESS_LABELS.key, most=label_ratio)


def _up_to_wrong(rows: pl.DataFrame) -> pl.DataFrame:
    """Cut the labels after the first wrong one."""
    is_wrong = pl.col("labels").list.eval((pl.element() == _WRONG).cast(pl.Int8))
    end = pl.when(is_wrong.list.max() == 1).then(is_wrong.list.arg_max() + 1).otherwise(length("labels"))
    return rows.with_columns(pl.col("labels").list.head(end))
