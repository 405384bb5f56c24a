"""The trigger sentences: what every one of them must be."""

import pytest

from filters.answers.extraction import extract_answer
from generators.engine.simulated.vocabulary import SimulatedTokenizer, is_letter
from generators.self_correction_traces.triggers import BEGIN_AGAIN, GO_BACK, REDO_STEP, RETHINK, as_line

EVERY = (*RETHINK, *REDO_STEP, *GO_BACK, *BEGIN_AGAIN)


@pytest.mark.parametrize("trigger", EVERY)
def test_a_trigger_is_one_line_without_an_answer_that_the_simulated_policy_follows(trigger):
    assert trigger == trigger.strip()
    assert "\n" not in trigger
    assert extract_answer(trigger) is None
    assert is_letter(SimulatedTokenizer().encode(trigger)[0])


def test_no_trigger_stands_twice_and_those_that_go_back_name_a_step():
    assert len(set(EVERY)) == len(EVERY)
    assert {trigger for trigger in EVERY if "{step}" in trigger} == set(GO_BACK)


@pytest.mark.parametrize(
    ("text", "line"), [("", "Wait.\n"), ("a step", "\nWait.\n"), ("a step\n", "Wait.\n"), ("a step\n\n", "Wait.\n")]
)
def test_a_trigger_becomes_a_line_of_its_own(text, line):
    assert as_line(text, "Wait.") == line
