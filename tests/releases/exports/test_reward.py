"""The rule that an export of problems brings, in the form of each trainer."""

import pytest

from releases.exports.reward import accuracy, compute_score, is_right, reward_func

RIGHT = "Half of it.\nThe answer is \\boxed{\\frac{1}{2}}."


@pytest.mark.parametrize(
    ("response", "answer", "verdict"),
    [
        (RIGHT, "\\frac{1}{2}", True),
        (RIGHT, "1/2", True),
        (RIGHT, "0.5", True),
        (RIGHT, "2", False),
        ("I do not know.", "2", False),
    ],
)
def test_an_answer_is_compared_by_value(response, answer, verdict):
    assert is_right(response, answer) is verdict


def test_any_accepted_answer_is_right_for_the_trainers_that_hand_all_of_them_on():
    assert is_right(RIGHT, "2", ["3", "0.5"]) and not is_right(RIGHT, "2", ["3"])
    assert compute_score("sums", RIGHT, "2", extra_info={"also_accepted": ["1/2"]}) == 1.0
    assert compute_score("sums", RIGHT, "2", extra_info={"also_accepted": None}) == 0.0
    chats = [[{"role": "assistant", "content": RIGHT}]] * 2
    assert accuracy(chats, ["2", "2"], also_accepted=[["1/2"], []]) == [1.0, 0.0]


def test_every_trainer_gets_the_same_score():
    assert compute_score("sums", RIGHT, "1/2", extra_info={"index": 0}) == 1.0
    assert accuracy([[{"role": "assistant", "content": RIGHT}]] * 2, ["1/2", "3"], prompts=["", ""]) == [1.0, 0.0]
    told = reward_func(
        ["Half? " + RIGHT, "Half of \\boxed{3}? None."], ["Half? ", "Half of \\boxed{3}? "], ["1/2", "3"]
    )
    assert told["rewards"].tolist() == told["scores"].tolist() == [1.0, 0.0]
