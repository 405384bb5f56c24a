"""The labelled solutions with an error that can become a pair: wrong, located, at a problem whose pass rate fits.

Adds `step_index`, `initial_reason_steps` (the text before that step) and `pass_rate`.
"""

import polars as pl

from filters.answers.verdicts import Verdict
from filters.equations.rules import states_nothing_false
from filters.rules import Filtered, apply_rules
from filters.texts.quality import no_answer_in, pass_rate_within, steps_within
from generators.step_preference_pairs.settings import Settings

PLACED_BY = (  # the columns of labels that it reads
    *("problem_id", "attempt_index", "prompt", "steps", "verdict", "n_attempts", "n_attempts_right"),
    "judge_first_error",
)


def located_errors(labels: pl.DataFrame, *, first_error: str, settings: Settings, steps: tuple[int, int]) -> Filtered:
    """Keep the wrong solutions whose first error is known, and that say no answer and nothing false before it.

    `steps` is the least and the highest number of steps of a solution.
    """
    step = pl.col(first_error)
    before = pl.col("steps").list.head(step.clip(lower_bound=0).fill_null(0)).list.join("")
    placed = labels.with_columns(
        step.alias("step_index"),
        before.alias("initial_reason_steps"),
        (pl.col("n_attempts_right") / pl.col("n_attempts")).fill_nan(None).alias("pass_rate"),
    )
    rules = {
        "right_answer": pl.col("verdict") == Verdict.DIFFERENT.value,
        **pass_rate_within(settings.least_pass_rate, settings.most_pass_rate),
        "first_error_not_sure": pl.col("step_index").is_not_null(),
        "no_first_error": pl.col("step_index") >= 0,
        **steps_within("steps", least=steps[0], most=steps[1], longest=settings.longest_step),
        **no_answer_in("initial_reason_steps"),
    }
    return apply_rules(placed, rules).then(states_nothing_false("initial_reason_steps", given="prompt"))
