from math import log

import polars as pl
import pytest

from generators.critical_token_pairs.recipe import chosen_weights, rejected_weights
from generators.critical_token_pairs.table import wrong_steps_of

ENDS = [3, 5, 9]

# soundness of each step, the first error by the labels, and the tokens of the first wrong step
LABELLED = [
    ([0.9, 0.1, 0.05], 1, (3, 5)),
    ([0.9, 0.8, 0.7], None, None),
    (None, 2, (5, 9)),
    (None, 0, (0, 3)),
    (None, -1, None),
    (None, None, None),
]


@pytest.mark.parametrize(("sound", "first_error", "span"), LABELLED)
def test_the_first_wrong_step_comes_from_the_soundness_or_else_from_the_labels(sound, first_error, span):
    row = {"problem_id": "p", "attempt_index": 1, "token_ids": [*range(9)], "step_ends": ENDS}
    schema = {"sound": pl.List(pl.Float64), "first_error": pl.Int64}
    frame = pl.DataFrame([row | {"sound": sound, "first_error": first_error}], schema_overrides=schema)
    assert wrong_steps_of(frame) == {("p", 1, tuple(range(9))): span}


def test_a_wrong_token_weighs_by_its_log_ratio_over_the_temperature_and_the_last_one_weighs_all():
    weights = rejected_weights([0.0, 0.0, 2 * log(4), -2 * log(4), 0.0, 9.0], 2, temperature=2.0)
    assert weights == pytest.approx([0.0, 0.0, 0.2, 0.8, 0.5, 1.0])
    assert chosen_weights(5, 2) == [0.0, 0.0, 1.0, 1.0, 1.0]
