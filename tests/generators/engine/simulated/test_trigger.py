"""What the simulated policy does behind a trigger: it states its totals again, and may mend or break the last one."""

import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.engine.simulated.draw import draw, score
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.position import Position, Task
from generators.engine.simulated.statement import Statement
from generators.engine.simulated.vocabulary import EOS, FILLERS, SimulatedTokenizer

TOKENIZER = SimulatedTokenizer()
STATEMENT = Statement(start=41, addends=(7, 35, 20))
RATES = {"error_rate": 0.3, "recovery_rate": 0.2, "mend_rate": 0.4, "break_rate": 0.1, "filler_rate": 0.5}
TASK = Task(statement=STATEMENT, **RATES)
LATE = Task(statement=STATEMENT, late=True, **RATES)
RIGHT = "Adding 7 gives 48\nAdding 35 gives 83\nAdding 20 gives 3\n\\boxed{3}"
WRONG = "Adding 7 gives 48\nAdding 35 gives 84\nAdding 20 gives 4\n\\boxed{4}"
MENDED = "Adding 7 gives 48\nAdding 35 gives 84\nAdding 20 gives 3\n\\boxed{3}"
TRIGGER = "\n\nWait! Is 100 right?\n"
ONWARD = 0.7 * 0.7 + 0.3 * 0.2, 0.2 * 0.7 + 0.8 * 0.2  # two steps to go behind a right total, behind a wrong one
ONWARD_LATE = ONWARD[0], 0.7
N = 1500


def position(text, task=TASK):
    return Position(task).read(TOKENIZER.encode(text))


def within(count, n, probability):
    """The count lies within 4.5 standard deviations of its mean."""
    return abs(count - n * probability) <= 4.5 * math.sqrt(n * probability * (1 - probability)) + 1e-9


# what stands there, its value under the law whose steps go wrong, and under the late law
VALUES = [
    (RIGHT + TRIGGER, 0.9, 0.9),
    (WRONG + TRIGGER, 0.4, 0.4),
    (RIGHT + "\n\nWai", 1.0, 1.0),
    (RIGHT + "\n\n", 1.0, 1.0),
    (RIGHT[:-10] + "\nWai", 0.9, 0.7),
    (RIGHT[:18] + "Wai", *ONWARD_LATE),
    (WRONG + TRIGGER + "Adding 7 gives 48\nAdding", 0.4, 0.4),
    (WRONG + TRIGGER + MENDED[:-10], 1.0, 0.4),
    (WRONG + TRIGGER + MENDED, 1.0, 1.0),
    (WRONG + TRIGGER + WRONG, 0.0, 0.0),
    (WRONG + TRIGGER + MENDED + TRIGGER, 0.9, 0.9),
    (WRONG + TRIGGER + "Adding 7 gives 48\nAdding" + TRIGGER, 0.4, 0.4),
    (TRIGGER, 0.7 * ONWARD[0] + 0.3 * ONWARD[1], 0.7),
    ("Adding 7 gives 48\nAdding 35" + TRIGGER, 0.9 * ONWARD[0] + 0.1 * ONWARD[1], 0.7),
    ("Adding 7 gives 49\n" + TRIGGER, 0.4 * ONWARD[0] + 0.6 * ONWARD[1], 0.2),
]


@pytest.mark.parametrize(("text", "value", "late"), VALUES)
def test_the_value_behind_a_trigger_is_a_formula(text, value, late):
    assert position(text).value == pytest.approx(value)
    assert position(text, LATE).value == pytest.approx(late)


@pytest.mark.parametrize("task", [TASK, LATE], ids=["steps", "late"])
@pytest.mark.parametrize("text", [text for text, _, _ in VALUES if not text.endswith("}")])
def test_continuations_end_right_as_often_as_the_value_says(text, task):
    here, rng = position(text, task), Random(2)
    ends = [here.copy().read(draw(here, rng, 1000)) for _ in range(N)]
    assert within(sum(end.boxed == STATEMENT.answer for end in ends), N, here.value)


@settings(max_examples=60, deadline=None)
@given(
    text=st.lists(st.sampled_from([RIGHT, WRONG, RIGHT[:40], WRONG[:40], WRONG[:-3], TRIGGER]), max_size=5),
    late=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_the_value_is_the_mean_of_the_values_one_token_on(text, late, seed):
    here = position(TRIGGER.join(text), LATE if late else TASK)
    drawn = draw(here, Random(seed), 1000)
    assert all(math.isfinite(one) for one in score(here, drawn))
    for token_id in drawn:
        shares = here.next_tokens()
        assert sum(shares.values()) == pytest.approx(1)
        ahead = sum(share * here.copy().read([token]).value for token, share in shares.items())
        assert here.value == pytest.approx(ahead)
        here.advance(token_id)


@given(seed=st.integers(0, 2**32), max_tokens=st.integers(1, 40))
def test_a_shorter_limit_cuts_the_same_continuation(seed, max_tokens):
    here = position(WRONG + TRIGGER)
    assert draw(here, Random(seed), max_tokens) == draw(here, Random(seed), 1000)[:max_tokens]


def test_all_totals_but_the_last_are_stated_as_they_were():
    here, rng = position(WRONG + TRIGGER), Random(3)
    texts = Counter(_plain(draw(here, rng, 1000)) for _ in range(N))
    assert set(texts) == {WRONG, MENDED}
    assert within(texts[MENDED], N, 0.4)


def test_a_broken_total_is_any_other_number():
    here, rng = position(RIGHT + TRIGGER), Random(4)
    ends = Counter(here.copy().read(draw(here, rng, 1000)).boxed for _ in range(2 * N))
    assert len(ends) > 80
    assert within(ends[3], 2 * N, 0.9)


@pytest.mark.parametrize("text", ["Wait.", "Hold on", "Let me see: 3?", "ähm"])
def test_any_line_that_opens_with_a_letter_is_a_trigger(text):
    assert position(f"{WRONG}\n{text}\n").value == pytest.approx(0.4)


@pytest.mark.parametrize("text", ["Adding it up", "12 apples", " so", "= 4", "So it gives 3", "So \\boxed{4}"])
def test_other_lines_behind_the_answer_change_nothing(text):
    assert position(f"{WRONG}\n{text}\n").value == 0.0


def test_the_first_error_stays_where_it_was():
    assert position(WRONG + TRIGGER + RIGHT).first_error == 1


def test_a_law_mends_little_and_breaks_less_by_default():
    task = Task.under(SimulatedLaw(error_rates=(0.1,)), STATEMENT)
    assert 0 < task.break_rate < task.mend_rate <= 0.1
    with pytest.raises(ValueError, match=r"mend_rate must be from 0 to 1, got 1.5"):
        SimulatedLaw(mend_rate=1.5)


def _plain(token_ids):
    return TOKENIZER.decode([token_id for token_id in token_ids if token_id not in (*FILLERS, EOS)])
