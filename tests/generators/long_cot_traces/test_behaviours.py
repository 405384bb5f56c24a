from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.long_cot_traces.behaviours import KINDS, behaviours, count_behaviours

SAYS = {
    "verification": [
        "Let me check: 12 - 9 = 3.",
        "Check: 9 + 5 = 14.",
        "Now let me double-check the count.",
        "We should verify this with x = 2.",
        "I'll confirm the sum by adding backwards.",
        "Sanity check of the volume: it must be below 5.",
        "Plugging it back in gives 5 = 5.",
        "So each step fits.",
        "Does that make sense?",
        "- Check that 3 is odd.",
        "That checks out",
        "Let us test 104.",
    ],
    "backtracking": [
        "Wait, that is 14.",
        "Wait.",
        "Hmm, which ball?",
        "But wait, there is a line that I passed over.",
        "Hold on. What halves it is the median.",
        "Actually, no: it is the radius.",
        "That doesn't work!",
        "So it is wrong.",
        "This can't be right.",
        "That is a contradiction.",
        "I made a mistake in the volume.",
        "Let me start over.",
        "I have to start again from the definition.",
        "Let me try another order.",
        "So this is a dead end.",
        "Scrap that.",
        "3, no… wait\nIt is 4.",
    ],
    "subgoal_setting": [
        "The plan: follow the pile.",
        "My plan is to count.",
        "So two sub-goals: flow and volume.",
        "First, I need to find the radius.",
        "Next, let me compute the area.",
        "Step 2: add.",
        "Let me first look at the tens.",
        "I break the problem down into two cases.",
        "After that I count the pairs.",
    ],
    "backward_chaining": [
        "Let me check by walking back from 75.",
        "Work backwards: the last sum must be 20.",
        "Once more, from the goal.",
        "To find the area I need its two legs.",
        "To end with 24, I would need 6 and 4.",
        "For this to hold, x must be even.",
        "What would I need for the total to be 10?",
    ],
}
SAYS_NOT = [
    "He waits 5 minutes.",
    "They wait for the bus.",
    "Wait 5 minutes, then stir.",
    "The wait is 5 minutes.",
    "She has a check for 50 dollars.",
    "The teacher checks the homework.",
    "We can check in at noon.",
    "A ball that fits in the box is small.",
    "The first train leaves at 5.",
    "She came first, he came second.",
    "He walks back to the shop.",
    "The planes land at noon.",
    "He puts the rolls back in the oven.",
    "Actually 5 people came.",
    "Awaiting the goal of the match.",
    "The contest was held on a Monday.",
    "5 is held on by 7.",
    "The goalkeeper made 3 saves.",
    "A check mark stands for true.",
    "The plan was drawn to scale.",
    "This is right.",
    "",
]
TABLE = [(kind, sentence) for kind, sentences in SAYS.items() for sentence in sentences]


@pytest.mark.parametrize(("kind", "sentence"), TABLE)
def test_a_behaviour_is_known_by_its_words(kind, sentence):
    found = [one for one in behaviours(sentence) if one.kind == kind]
    assert len(found) == 1
    assert 0 <= found[0].start < found[0].end <= len(sentence)


@pytest.mark.parametrize("sentence", SAYS_NOT)
def test_the_same_words_in_another_sense_are_no_behaviour(sentence):
    assert behaviours(sentence) == ()


def test_case_and_typographic_apostrophes_make_no_difference():
    for text in ("THAT DOESN'T WORK.", "that doesn’t work"):
        assert [one.kind for one in behaviours(text)] == ["backtracking"]


def test_a_span_is_the_place_of_the_words():
    text = "6 + 8 = 13\nWait, 6 + 8 is 14.\nCheck: 14 - 8 = 6."
    assert [(one.kind, text[one.start : one.end]) for one in behaviours(text)] == [
        ("backtracking", "Wait"),
        ("verification", "Check"),
    ]


def test_words_of_one_kind_in_neighbouring_sentences_are_one_behaviour():
    turned = "Wait. That is wrong. Let me start over."
    assert count_behaviours(behaviours(turned))["backtracking"] == 1
    assert turned[behaviours(turned)[0].start : behaviours(turned)[0].end] == "Wait. That is wrong. Let me start over"
    apart = "Wait, it is 5. So 5 + 2 = 7. Then 7 + 1 = 8. Hmm, that is 9."
    assert count_behaviours(behaviours(apart))["backtracking"] == 2


def test_a_decimal_point_ends_no_sentence():
    text = "Wait, it is 2.5. So 2.5 + 3.5 is 6.0 and that is wrong."
    assert count_behaviours(behaviours(text))["backtracking"] == 1


def test_what_is_boxed_is_no_thought():
    assert behaviours(r"\boxed{\text{Wait. Check: } {5}}") == ()
    assert [one.kind for one in behaviours(r"\boxed{5} Wait, that is wrong \boxed{Check: 5")] == ["backtracking"]


def test_counts_name_every_kind():
    assert count_behaviours(()) == dict.fromkeys(KINDS, 0)


@given(st.lists(st.sampled_from([sentence for _, sentence in TABLE] + SAYS_NOT), max_size=6))
def test_behaviours_come_in_order_and_none_of_a_kind_overlaps_another(sentences):
    text = " ".join(sentences)
    found = behaviours(text)
    assert [one.start for one in found] == sorted(one.start for one in found)
    for kind in KINDS:
        of = [one for one in found if one.kind == kind]
        assert all(one.end <= other.start for one, other in pairwise(of))
