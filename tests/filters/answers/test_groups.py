import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.answers.checker import AnswerRule
from filters.answers.groups import group_answers


@pytest.mark.parametrize(
    ("answers", "groups"),
    [
        ([], []),
        (["12", "13", "12"], [[0, 2], [1]]),
        (["0.5", "3", r"\frac12", "1/2"], [[0, 2, 3], [1]]),
        (["1,000", "1000", "1000.0"], [[0, 1, 2]]),
        (["(B)", "C", "B"], [[0, 2], [1]]),
    ],
    ids=["none", "strings", "fractions", "numbers", "choices"],
)
def test_answers_that_the_verifier_calls_equal_stand_together(answers, groups):
    assert group_answers(answers) == groups


def test_the_rule_of_the_source_decides_what_is_equal():
    assert group_answers(["50%", "0.5"], AnswerRule(percent="fraction")) == [[0, 1]]
    assert group_answers(["50%", "0.5"], AnswerRule(percent="number")) == [[0], [1]]


@given(st.lists(st.sampled_from(["1", "1.0", "2", "4/2", "x+1", "no", "", "\\frac{"])))
def test_every_answer_stands_in_one_group(answers):
    groups = group_answers(answers)
    assert sorted(place for group in groups for place in group) == list(range(len(answers)))
    assert [group[0] for group in groups] == sorted(group[0] for group in groups)
