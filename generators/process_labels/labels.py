"""The labels of solutions: soft, hard and first error, derived from what was measured.

Soft and hard estimation are Math-Shepherd's (arXiv 2312.08935); the index of the first error follows ProcessBench.
Other datasets import this module and nothing else of this dataset.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import polars as pl

from generators.blocks import StoredTable
from generators.by_problem import ByProblem
from generators.columns import ATTEMPT_KEY
from generators.process_labels.settings import RefutedSteps, Settings
from generators.rows import PROBLEM
from generators.search.priors import Priors
from generators.section import stored
from generators.stage import Slice

MEASURED = ("n_correct", "n_rollouts", "values", "sound", "false_equations")  # what labels follow from


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessLabels:
    """The labelled solutions of a slice on disk, and the settings of its recipe.

    Labels follow from the thresholds in the recipe, so all datasets of a round agree on the first errors. `priors` are
    those of the sequential test; other strategies have none.
    """

    table: StoredTable
    settings: Settings
    priors: Priors | None

    @classmethod
    def of(cls, slice: Slice) -> Self:
        """Read the recipe of a slice; raises StorageError."""
        recipe = slice.recipe("process_labels")
        priors = recipe["config"]["strategy"].get("priors")
        return cls(
            table=slice.stored("process_labels"),
            settings=stored(Settings, recipe, "process_labels"),
            priors=Priors(**priors) if priors else None,
        )

    @property
    def lengths(self) -> tuple[int, int]:
        """The least and the highest number of steps of a labelled solution."""
        return self.settings.min_steps, self.settings.max_steps

    def blocks(self, *columns: str) -> Iterator[pl.DataFrame]:
        """These columns block by block, or all, with `soft_labels`, `hard_labels` and `first_error`.

        A block ends between two problems. Raises StorageError.
        """
        for block in self.table.blocks(tuple(dict.fromkeys((*columns, *MEASURED))) if columns else ()):
            yield with_labels(
                block,
                hard_threshold=self.settings.hard_threshold,
                confidence=self.settings.confidence,
                refuted_steps=self.settings.refuted_steps,
            )


class LocatedSolutions:
    """Labelled solutions with what was located in them; those of a problem are read when they are asked for.

    `located` has a row for each by problem and attempt, and further columns that the table lacks.
    """

    def __init__(self, table: StoredTable, located: pl.DataFrame) -> None:
        self._rows = ByProblem(table)
        self._located = {str(key[0]): part for key, part in located.partition_by(PROBLEM, as_dict=True).items()}

    def __contains__(self, problem_id: object) -> bool:
        return problem_id in self._located

    def located(self, problem_id: str) -> pl.DataFrame:
        """What was located at a problem, without the solutions; raises KeyError if nothing was."""
        return self._located[problem_id]

    def of(self, problem_id: str) -> pl.DataFrame:
        """The solutions of a problem with what was located; raises KeyError if nothing was, or StorageError."""
        return self._rows.of(problem_id).join(self._located[problem_id], on=ATTEMPT_KEY, maintain_order="left")


def with_labels(
    rows: pl.DataFrame, *, hard_threshold: float, confidence: float, refuted_steps: RefutedSteps = "wrong"
) -> pl.DataFrame:
    """Add `soft_labels`, `hard_labels` and `first_error`.

    Soft labels are the values. Where a strategy says how probably a step is `sound`, its hard label is true from
    `confidence` on, false from one minus `confidence` down, and null between; elsewhere it is whether the share of
    right rollouts is above `hard_threshold`. A step without a rollout is then right where the next step with rollouts
    is, since those passed through it too, and null elsewhere. From the first step with a false equation on,
    labels are false where `refuted_steps` is "wrong". `first_error` is the 0-based index of the first step whose hard
    label is false, -1 when all are true, and null when a step without label comes first, since the error may
    be there. Raises ValueError when `hard_threshold` is not in [0, 1), or `confidence` not in (0.5, 1).
    """
    if not 0 <= hard_threshold < 1:
        raise ValueError(f"hard_threshold must be at least 0 and below 1, got {hard_threshold}")
    if not 0.5 < confidence < 1:
        raise ValueError(f"confidence must be above 0.5 and below 1, got {confidence}")
    item = pl.element()
    sure = pl.when(item >= confidence).then(True).when(1 - item >= confidence).then(False)
    by_soundness = pl.col("sound").list.eval(sure)
    by_share = (pl.col("n_correct") / pl.col("n_rollouts")).list.eval(
        pl.when(item.is_not_nan()).then(item > hard_threshold)
    )
    hard = pl.when(pl.col("sound").is_null()).then(_fill_nulls_before_right(by_share)).otherwise(by_soundness)
    return rows.with_columns(
        pl.col("values").alias("soft_labels"),
        (_false_from_refuted(hard) if refuted_steps == "wrong" else hard).alias("hard_labels"),
    ).with_columns(_first_error(pl.col("hard_labels")).alias("first_error"))


def _fill_nulls_before_right(hard: pl.Expr) -> pl.Expr:
    """Make nulls true where the next label is true; the last label is the solution's outcome and shows nothing."""
    item = pl.element()
    inner = hard.list.head(hard.list.len() - 1)
    filled = inner.list.eval(pl.when(item.is_null() & item.backward_fill()).then(True).otherwise(item))
    return pl.concat_list(filled, hard.list.tail(1))


def _false_from_refuted(hard: pl.Expr) -> pl.Expr:
    """Make labels false from the first step with a false equation on."""
    refuted = pl.col("false_equations").list.eval(pl.element().is_not_null().cast(pl.Int8))
    first = refuted.list.arg_max()
    n_after = pl.col("false_equations").list.len() - first
    falses = pl.lit(False).repeat_by(n_after)
    return pl.when(refuted.list.max() == 1).then(pl.concat_list(hard.list.head(first), falses)).otherwise(hard)


def count_labels(rows: pl.DataFrame) -> dict[str, int]:
    """How many steps are labelled right and wrong, and how many have no label."""
    labels = rows["hard_labels"].explode(keep_nulls=True, empty_as_null=False)
    return {
        "right": int(labels.sum()),
        "wrong": int((~labels).sum()),
        "undecided": labels.null_count(),
    }


def _first_error(hard: pl.Expr) -> pl.Expr:
    not_surely_right = hard.list.eval(pl.element().fill_null(False).not_().cast(pl.Int8))
    first = not_surely_right.list.arg_max()
    return (
        pl.when(not_surely_right.list.max() == 0)
        .then(-1)
        .when(hard.list.get(first).is_not_null())
        .then(first.cast(pl.Int64))
        .cast(pl.Int64)
    )
