from itertools import combinations
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.evaluation.figures import Evaluation, Figure, pass_at
from generators.evaluation.recipe import ProblemResult


def evaluation(*right, policy="p", made_from="x", k=4, tokens=80):
    problems = tuple(
        ProblemResult(problem_id=f"q{n}", n=8, n_right=hits, n_votes=1, n_votes_right=hits > 4, tokens=tokens)
        for n, hits in enumerate(right)
    )
    return Evaluation(policy=policy, made_from=made_from, k=k, problems=problems)


@given(st.integers(1, 7), st.data())
def test_pass_at_k_is_the_share_of_subsets_with_a_right_solution(n, data):
    n_right, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    subsets = list(combinations([True] * n_right + [False] * (n - n_right), k))
    assert pass_at(k, n=n, n_right=n_right) == pytest.approx(sum(map(any, subsets)) / len(subsets))


@pytest.mark.parametrize("k", [0, 9])
def test_pass_at_more_than_was_drawn_is_refused(k):
    with pytest.raises(ValueError, match=rf"k must be from 1 to n \(8\), got {k}"):
        pass_at(k, n=8, n_right=1)


def test_figures_are_means_over_problems_with_their_intervals():
    figures = evaluation(0, 4, 8).figures()
    half = 1.959964 * 0.5 / sqrt(3)
    assert figures["pass_at_1"] == Figure(mean=0.5, low=0.0, high=pytest.approx(min(1.0, 0.5 + half)))
    assert figures["majority_at_8"].mean == pytest.approx(1 / 3)
    assert figures["pass_at_k"].mean == pytest.approx((0 + 1 - 1 / 70 + 1) / 3)
    assert figures["tokens"] == Figure(mean=10, low=10, high=10)


@given(st.lists(st.integers(0, 8), min_size=1, max_size=300))
def test_an_interval_holds_its_mean(right):
    for figure in evaluation(*right).figures().values():
        assert figure.low <= figure.mean <= figure.high


def test_equal_shares_still_have_an_interval():
    assert evaluation(8, 8, 8).figures()["pass_at_1"].low == pytest.approx(0.4385, abs=1e-3)


def test_a_difference_is_paired_by_problem():
    gained = evaluation(1, 5, 8).less(evaluation(0, 4, 7, policy="before"))
    assert gained["pass_at_1"].mean == gained["pass_at_1"].low == gained["pass_at_1"].high == 0.125
    assert str(gained["pass_at_1"]) == "0.125 ± 0.000"


def test_policies_that_were_not_evaluated_alike_are_not_compared():
    with pytest.raises(ValueError, match="p and q must be evaluated alike to be compared, got x and y"):
        evaluation(1).less(evaluation(1, policy="q", made_from="y"))


def test_an_evaluation_survives_its_file():
    kept = evaluation(1, 2)
    assert Evaluation.of(kept.to_json()) == kept
