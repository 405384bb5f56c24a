"""How verdicts count where shares are taken."""

import pytest

from filters.answers.verdicts import AnswerRule, Verdict


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("no_answer", ["wrong", "undecided"])
def test_only_a_response_without_an_answer_counts_as_the_rule_says(verdict, no_answer):
    counted = {Verdict.EQUAL: True, Verdict.DIFFERENT: False, Verdict.NO_ANSWER: {"wrong": False}.get(no_answer)}
    assert AnswerRule(no_answer=no_answer).is_right(verdict) is counted.get(verdict)


def test_another_way_of_counting_is_refused():
    with pytest.raises(ValueError, match="no_answer must be one of wrong, undecided, got 'right'"):
        AnswerRule(no_answer="right")
