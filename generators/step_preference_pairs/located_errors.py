"""Which labelled solutions show an error that a pair can be made of: wrong, located, of a fitting problem.

Knows the columns of the process labels, and a column that names the first wrong step: an index, -1 for none, null where
it is not known. Adds `step_index`, `initial_reason_steps` (the text before that step) and `pass_rate`.
"""

from dataclasses import dataclass

import polars as pl

from filters.answers.verdicts import Verdict
from filters.rules import Filtered, apply_rules
from filters.texts.quality import no_answer_in, pass_rate_within, steps_within


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBounds:
    """The pass rate of the problem, and how many steps of how many characters the solution has.

    By default every problem counts that is neither never nor always solved.
    """

    least_pass_rate: float = 0.01
    most_pass_rate: float = 0.99
    min_steps: int = 1
    max_steps: int = 32
    longest_step: int = 2000

    def __post_init__(self) -> None:
        if not 0 < self.least_pass_rate <= self.most_pass_rate < 1:
            raise ValueError(
                "least_pass_rate must be above 0 and at most most_pass_rate, and that below 1, "
                f"got {self.least_pass_rate} and {self.most_pass_rate}"
            )


def located_errors(labels: pl.DataFrame, *, first_error: str, bounds: ErrorBounds) -> Filtered:
    """Keep the wrong solutions whose first error is known and has no answer before it; the others have their reason."""
    step = pl.col(first_error)
    before = pl.col("steps").list.head(step.clip(lower_bound=0).fill_null(0)).list.join("")
    placed = labels.with_columns(
        step.alias("step_index"),
        before.alias("initial_reason_steps"),
        (pl.col("n_attempts_right") / pl.col("n_attempts")).fill_nan(None).alias("pass_rate"),
    )
    rules = {
        "right_answer": pl.col("verdict") == Verdict.DIFFERENT.value,
        **pass_rate_within(bounds.least_pass_rate, bounds.most_pass_rate),
        "first_error_not_sure": pl.col("step_index").is_not_null(),
        "no_first_error": pl.col("step_index") >= 0,
        **steps_within("steps", least=bounds.min_steps, most=bounds.max_steps, longest=bounds.longest_step),
        **no_answer_in("initial_reason_steps"),
    }
    return apply_rules(placed, rules)
