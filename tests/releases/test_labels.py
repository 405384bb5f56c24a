"""Soft, hard and first-error labels, over literal counts."""

from dataclasses import replace
from fractions import Fraction

import polars as pl
import pytest

from generators.process_labels.labels import count_labels, with_labels
from generators.process_labels.release import FULL, recompute
from releases.recomputation import differing_columns
from tests.releases.conftest import PARAMETERS

TABLE = [
    # n_correct, n_rollouts, threshold, soft, hard, first error
    ([4, 4], [4, 4], 0.0, [1.0, 1.0], [True, True], -1),
    ([4, 1, 0], [4, 4, 4], 0.0, [1.0, 0.25, 0.0], [True, True, False], 2),
    ([0, 4], [4, 4], 0.0, [0.0, 1.0], [False, True], 0),
    ([4, 1, 0], [4, 4, 4], 0.25, [1.0, 0.25, 0.0], [True, False, False], 1),
    ([4, 2, 3], [4, 4, 4], 0.5, [1.0, 0.5, 0.75], [True, False, True], 1),
    ([2, 0, 0], [4, 0, 4], 0.0, [0.5, None, 0.0], [True, None, False], None),
    ([2, 0, 0], [4, 4, 0], 0.0, [0.5, 0.0, None], [True, False, None], 1),
    ([0], [0], 0.0, [None], [None], None),
    ([0, 3, 0, 0], [0, 4, 4, 1], 0.0, [None, 0.75, 0.0, 0.0], [True, True, False, False], 2),
    ([0, 0, 1], [0, 0, 1], 0.0, [None, None, 1.0], [None, None, True], None),
    ([4, 0], [4, 0], 0.0, [1.0, None], [True, None], None),
]


@pytest.mark.parametrize(("right", "rollouts", "threshold", "soft", "hard", "first_error"), TABLE)
def test_labels_follow_from_counts(table, right, rollouts, threshold, soft, hard, first_error):
    row = with_labels(table((right, rollouts)), hard_threshold=threshold, confidence=0.9).row(0, named=True)
    assert (row["soft_labels"], row["hard_labels"], row["first_error"]) == (soft, hard, first_error)


REFUTED = [
    # n_correct, n_rollouts, refuted step, what refuted steps are, hard, first error
    ([4, 4, 4, 1], [4, 4, 4, 1], 1, "wrong", [True, False, False, False], 1),
    ([4, 4, 4, 1], [4, 4, 4, 1], 1, "keep", [True, True, True, True], -1),
    ([0, 0, 0], [4, 0, 1], 1, "wrong", [False, False, False], 0),
    ([0, 0, 0], [0, 0, 1], 1, "wrong", [None, False, False], None),
    ([4, 1], [4, 1], 0, "wrong", [False, False], 0),
    ([4, 1], [4, 1], 1, "wrong", [True, False], 1),
]


@pytest.mark.parametrize(("right", "rollouts", "refuted", "refuted_steps", "hard", "first_error"), REFUTED)
def test_a_step_that_states_a_false_equation_is_wrong_and_so_is_what_follows(
    table, right, rollouts, refuted, refuted_steps, hard, first_error
):
    false = [[("1 + 1 = 3" if step == refuted else None) for step in range(len(right))]]
    rows = table((right, rollouts)).with_columns(pl.Series("false_equations", false, dtype=pl.List(pl.String)))
    row = with_labels(rows, hard_threshold=0.0, confidence=0.9, refuted_steps=refuted_steps).row(0, named=True)
    assert (row["hard_labels"], row["first_error"]) == (hard, first_error)


def test_false_equations_and_what_follows_from_them_are_recomputed(table):
    steps = [["So 2 + 6 = 14.\n", "14 - 3 = 11\n"]]
    rows = table(([4, 1], [4, 1])).with_columns(pl.Series("steps", steps))
    again = recompute(PARAMETERS.labelled(rows).drop("values"), PARAMETERS).row(0, named=True)
    assert again["false_equations"] == ["2 + 6 = 14", None]
    assert (again["soft_labels"], again["hard_labels"], again["first_error"]) == ([0.0, 0.0], [False, False], 0)
    kept = recompute(PARAMETERS.labelled(rows).drop("values"), replace(PARAMETERS, refuted_steps="keep"))
    assert kept.row(0, named=True)["first_error"] == -1


def test_a_step_counts_as_right_wrong_or_undecided(table):
    labelled = with_labels(table(([4, 1, 0], [4, 4, 4]), ([2, 0], [4, 0])), hard_threshold=0.0, confidence=0.9)
    assert count_labels(labelled) == {"right": 3, "wrong": 1, "undecided": 1}


def test_changed_labels_are_put_right_by_recomputing(draft):
    released = draft.tables["full"].splits["train"]
    flipped = released.with_columns(
        hard_labels=released["hard_labels"].reverse(), first_error=released["first_error"] + 1
    )
    assert not flipped.equals(released)
    recomputed = flipped.with_columns(recompute(flipped, PARAMETERS).get_columns())
    assert FULL.rounded(recomputed).equals(released)


def test_released_labels_are_the_counts_shares(draft):
    for frame in draft.tables["full"].splits.values():
        assert differing_columns(frame, recompute(frame, PARAMETERS)) == {}
        for row in frame.iter_rows(named=True):
            shares = [Fraction(k, n) if n else None for k, n in zip(row["n_correct"], row["n_rollouts"], strict=True)]
            assert row["soft_labels"] == [None if share is None else float(share) for share in shares]
            assert row["hard_labels"] == [None if share is None else share > 0 for share in shares]


def test_a_threshold_out_of_bounds_is_refused(rows):
    with pytest.raises(ValueError, match=r"hard_threshold must be at least 0 and below 1, got 1\.0"):
        with_labels(rows, hard_threshold=1.0, confidence=0.9)
