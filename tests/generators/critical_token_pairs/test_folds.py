import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.critical_token_pairs.folds import FOLDS, fold_of, scoring_fold

FOLD_OF = [("p0", 0), ("p1", 0), ("p2", 1), ("p8", 1), ("p9", 0), ("p11", 1)]


@pytest.mark.parametrize(("problem_id", "fold"), FOLD_OF)
def test_the_fold_of_a_problem_never_changes(problem_id, fold):
    assert fold_of(problem_id) == fold


@given(st.text())
def test_the_models_of_a_problems_own_fold_never_score_it(problem_id):
    assert {fold_of(problem_id), scoring_fold(problem_id)} == set(FOLDS)


def test_either_fold_gets_about_half_of_the_problems():
    assert sum(fold_of(f"problem {number}") for number in range(4000)) / 4000 == pytest.approx(0.5, abs=0.03)
