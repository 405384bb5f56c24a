import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.viewing.sampling import share_shown, shown_rows


def rows_of(problems):
    return pl.DataFrame({"problem_id": problems}, schema={"problem_id": pl.String})


def test_few_rows_are_all_shown():
    assert shown_rows(rows_of(["a", "b", "a"]), n=3, seed=0) == ([0, 1, 2], True)


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60), st.integers(1, 30), st.integers(0, 5))
def test_shown_rows_are_at_most_n_in_order_and_whole_problems_unless_each_is_too_large(problems, n, seed):
    shown, are_whole = shown_rows(rows_of(problems), n=n, seed=seed)
    assert 1 <= len(shown) <= n and shown == sorted(set(shown))
    assert are_whole == (len(problems) <= n or min(map(problems.count, problems)) <= n)
    kept = {problems[row] for row in shown}
    assert not are_whole or all(row in shown for row, problem in enumerate(problems) if problem in kept)


@pytest.mark.parametrize("rows", [rows_of([f"p{row // 2}" for row in range(50)]), pl.DataFrame({"text": ["x"] * 50})])
def test_the_same_seed_draws_the_same_rows_and_another_one_others(rows):
    assert shown_rows(rows, n=10, seed=1) == shown_rows(rows, n=10, seed=1)
    assert shown_rows(rows, n=10, seed=1) != shown_rows(rows, n=10, seed=2)


def test_what_is_shown_says_how_it_was_chosen():
    assert share_shown(96, 96, are_whole=True, seed=0) == "all 96 rows"
    assert share_shown(1, 1, are_whole=True, seed=0) == "1 row"
    assert share_shown(1000, 5000, are_whole=True, seed=3) == "1,000 of 5,000 rows, whole problems drawn by seed 3"
    assert share_shown(1000, 5000, are_whole=False, seed=0) == "1,000 of 5,000 rows, drawn by seed 0"
