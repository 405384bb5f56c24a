"""What reward models choose and find, on literal samples."""

import pytest

from benchmarks.laboratory_value.reward_figures import (
    Choice,
    Located,
    Sampled,
    best_choice,
    f1,
    f1_by_problem,
    figures,
    located,
    majorities,
    order,
)
from filters.answers.verdicts import Verdict
from generators.records import Attempt

LEAST = Choice(aggregate="least", threshold=0.5)


def sample(answer, index=0):
    return Attempt(
        problem_id="p",
        attempt_index=index,
        prompt_token_ids=(1,),
        token_ids=(2, 0),
        text=answer,
        finish_reason="eos",
        verdict=Verdict.EQUAL if answer == "4" else Verdict.DIFFERENT,
        extracted=answer,
    )


def sampled(answers, first_errors=None):
    samples = tuple(sample(answer, index) for index, answer in enumerate(answers))
    return Sampled(samples=samples, first_errors=tuple(first_errors or [None] * len(samples)))


EIGHT = sampled("54555567")


@pytest.mark.parametrize(
    ("is_right", "scores", "share"),
    [
        ([True, False], [0.9, 0.1], 1.0),
        ([True, False], [0.1, 0.9], 0.0),
        ([True, False, False], [0.5, 0.5, 0.1], 0.75),
        ([True, True], [0.9, 0.1], None),
        ([False], [0.9], None),
    ],
)
def test_order_is_the_share_of_right_samples_above_wrong_ones(is_right, scores, share):
    assert order(is_right, scores) == share


def test_the_best_of_eight_is_right_where_the_one_right_sample_has_the_highest_reward():
    rewards = [[[0.1], [0.9, 0.8], *([[0.7]] * 6)]]
    assert figures([EIGHT], rewards, LEAST) == {"order": [1.0], "best_of_8": [1.0], "weighted": [0.0]}


def test_a_vote_that_weighs_more_than_all_others_outvotes_the_majority():
    rewards = [[[0.1], [0.9], *([[0.1]] * 6)]]
    assert figures([EIGHT], rewards, LEAST)["weighted"] == [1.0]
    assert majorities([EIGHT]) == [0.0]


def test_a_solution_is_worth_its_least_its_last_or_the_product_of_its_steps():
    rewards = [[[0.2, 0.9], [0.6, 0.6], *([[0.5, 0.5]] * 6)]]
    by = {name: Choice(aggregate=name, threshold=0.5) for name in ("least", "last", "product")}
    assert figures([EIGHT], rewards, by["least"])["order"] == [1.0]
    assert figures([EIGHT], rewards, by["last"])["order"] == [6 / 7]
    assert figures([EIGHT], rewards, by["product"])["order"] == [1.0]


def test_a_first_error_is_met_at_its_step_alone():
    one = sampled("5554", [0, 1, 1, None])
    rewards = [[[0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9]]]
    assert located([one], rewards, 0.5) == [Located(wrong=3, wrong_met=2, right=1, right_met=1)]


def test_f1_is_the_harmonic_mean_of_both_accuracies():
    assert f1([Located(wrong=4, wrong_met=2, right=2, right_met=2)]) == pytest.approx(2 * 0.5 / 1.5)
    assert f1([Located(wrong=4, wrong_met=0, right=2, right_met=2)]) == 0.0


def test_pseudo_values_of_equal_problems_are_the_f1_itself():
    of_each = Located(wrong=4, wrong_met=2, right=2, right_met=2)
    assert f1_by_problem([of_each] * 3) == pytest.approx([f1([of_each])] * 3)


def test_the_choice_takes_the_aggregate_and_the_threshold_that_do_best():
    one = sampled("54", [0, None])
    rewards = [[[0.4, 0.9], [0.6, 0.5]]]
    assert best_choice([one], rewards) == Choice(aggregate="least", threshold=0.45)
