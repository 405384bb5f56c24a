"""Intervals over crossed seeds and problems, on literal tables and by simulation."""

import numpy as np
import pytest

from benchmarks.laboratory_value.crossed import Spread, difference, interval, quantile, smallest_gain


@pytest.mark.parametrize(
    ("share", "freedom", "t"),
    [(0.975, 4, 2.7764), (0.975, 1, 12.7062), (0.8, 4, 0.9410), (0.975, 1000, 1.9623), (0.975, 2.5, 3.5763)],
)
def test_quantiles_are_those_of_the_tables_of_student(share, freedom, t):
    assert quantile(share, freedom) == pytest.approx(t, abs=2e-3)


def test_equal_values_have_an_interval_without_width():
    same = interval([[0.5, 0.5], [0.5, 0.5]])
    assert (same.mean, same.low, same.high) == (0.5, 0.5, 0.5)


def test_one_seed_gives_the_interval_of_student_over_problems():
    of_one = interval([[0.0, 0.2, 0.4]])
    half = 4.3027 * 0.2 / 3**0.5
    assert (of_one.mean, of_one.high - of_one.mean) == (pytest.approx(0.2), pytest.approx(half, abs=1e-3))


def test_seeds_that_differ_alone_give_the_interval_of_student_over_seeds():
    over = interval([[0.1] * 100, [0.2] * 100, [0.3] * 100])
    assert over.high - over.mean == pytest.approx(4.3027 * 0.1 / 3**0.5, abs=1e-3)
    assert over.spread.seeds == pytest.approx(0.1)


def test_a_difference_is_paired_so_hard_problems_do_not_widen_it():
    before = [[0.1, 0.9, 0.5], [0.1, 0.9, 0.5]]
    gained = difference([[0.2, 1.0, 0.6], [0.2, 1.0, 0.6]], before)
    assert (gained.low, gained.high) == (pytest.approx(0.1), pytest.approx(0.1))
    assert gained.is_above_zero


def test_ninety_five_of_a_hundred_intervals_hold_the_truth():
    draw = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        seeds, problems = draw.normal(0, 0.02, (5, 1)), draw.normal(0, 0.2, (1, 100))
        of_run = interval((0.1 + seeds + problems + draw.normal(0, 0.1, (5, 100))).tolist())
        held += of_run.low <= 0.1 <= of_run.high
    assert 0.92 <= held / 400 <= 0.99


def test_a_gain_of_the_smallest_visible_size_is_seen_four_times_in_five():
    spread = Spread(seeds=0.02, problems=0.1, rest=0.1)
    gain = smallest_gain(spread, seeds=5, problems=300)
    draw = np.random.default_rng(1)
    seen = 0
    for _ in range(400):
        seeds, problems = draw.normal(0, 0.02, (5, 1)), draw.normal(0, 0.1, (1, 300))
        seen += interval((gain + seeds + problems + draw.normal(0, 0.1, (5, 300))).tolist()).is_above_zero
    assert 0.75 <= seen / 400 <= 0.97


def test_a_table_of_one_problem_is_refused():
    with pytest.raises(ValueError, match="at least 2 problems"):
        interval([[0.5], [0.5]])
