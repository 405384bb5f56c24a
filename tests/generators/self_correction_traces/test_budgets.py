"""Pass rates by budget, on literal tables."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.self_correction_traces.budgets import success_by_budget

SCHEMA = {
    "method": pl.String,
    "problem_id": pl.String,
    "sample_index": pl.Int64,
    "tokens": pl.Int64,
    "is_right": pl.Boolean,
    "no_answer": pl.Boolean,
}


def outcomes(*rows):
    """Rows of problem, sample, tokens and outcome; a fifth value says that there was no answer."""
    whole = [("m", *row, *[False] * (5 - len(row))) for row in rows]
    return pl.DataFrame(whole, schema=SCHEMA, orient="row")


def rates(frame):
    return dict(frame.select("budget", "pass_rate").iter_rows())


def test_the_last_look_within_the_budget_counts():
    looks = outcomes(("p", 0, 10, False), ("p", 0, 30, True), ("p", 0, 50, False))
    found = success_by_budget(looks, [5, 10, 29, 30, 49, 50, 99])
    assert [budget for budget, rate in rates(found).items() if rate] == [30, 49]


def test_samples_and_problems_are_averaged():
    looks = outcomes(("p", 0, 10, True), ("p", 1, 20, True), ("q", 0, 10, False), ("q", 1, 40, True))
    found = success_by_budget(looks, [40, 10, 20])
    assert rates(found) == {10: 0.25, 20: 0.5, 40: 0.75}
    assert found["budget"].to_list() == [10, 20, 40]
    assert found["n_samples"].to_list() == [4, 4, 4]
    assert found["mean_tokens"].to_list() == [10.0, 15.0, 20.0]


def test_an_undecided_answer_counts_neither_way():
    looks = outcomes(("p", 0, 10, None), ("p", 1, 10, True), ("p", 2, 10, None), ("p", 2, 20, False))
    found = success_by_budget(looks, [10, 20])
    assert rates(found) == {10: 1.0, 20: 0.5}
    assert found["n_undecided"].to_list() == [2, 1]


def test_a_sample_without_an_answer_is_counted_apart_while_it_has_none():
    looks = outcomes(("p", 0, 10, False, True), ("p", 0, 20, True), ("p", 1, 10, None, True), ("p", 2, 15, False))
    found = success_by_budget(looks, [5, 10, 20])
    assert found["n_no_answer"].to_list() == [0, 2, 1]
    assert found["n_undecided"].to_list() == [0, 1, 1]


def test_methods_are_kept_apart():
    looks = pl.concat([outcomes(("p", 0, 10, True)), outcomes(("p", 0, 10, False)).with_columns(method=pl.lit("n"))])
    found = success_by_budget(looks, [10])
    assert dict(found.select("method", "pass_rate").iter_rows()) == {"m": 1.0, "n": 0.0}


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 60), st.booleans()), min_size=1, max_size=12))
def test_the_order_of_the_rows_makes_no_difference(looks):
    rows = [("p", sample, tokens, right) for (sample, tokens), right in {(s, t): r for s, t, r in looks}.items()]
    forward, backward = (success_by_budget(outcomes(*order), [1, 20, 60]) for order in (rows, rows[::-1]))
    assert forward.equals(backward)


@pytest.mark.parametrize("budgets", [[], [0], [10, -1]])
def test_budgets_below_one_are_refused(budgets):
    with pytest.raises(ValueError, match="budgets must hold at least one budget, none below 1"):
        success_by_budget(outcomes(("p", 0, 10, True)), budgets)
