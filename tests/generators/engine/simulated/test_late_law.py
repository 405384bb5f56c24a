"""The law under which only the boxed answer goes wrong or is mended."""

import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.engine.simulated.draw import draw
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.position import Position, Task
from generators.engine.simulated.statement import MODULUS, Statement
from generators.engine.simulated.vocabulary import EOS, SimulatedTokenizer

BASE, RECOVERY = 0.7, 0.2
LAW = SimulatedLaw(base_rates=(BASE,), recovery_rate=RECOVERY, late=True, mean_fillers=1.0)
STATEMENT = Statement(start=41, addends=(7, 35, 20))
TASK = Task.under(LAW, STATEMENT)
TOKENIZER = SimulatedTokenizer()
RIGHT = ["Adding 7 gives 48\n", "Adding 35 gives 83\n", "Adding 20 gives 3\n"]
WRONG = ["Adding 7 gives 49\n", "Adding 35 gives 84\n", "Adding 20 gives 4\n"]
MIXED = [RIGHT[0], "Adding 35 gives 90\n", "Adding 20 gives 10\n"]
N = 2000


def position(text, task=TASK):
    return Position(task).read(TOKENIZER.encode(text))


def within(count, n, probability):
    """The count lies within 4.5 standard deviations of its mean."""
    return abs(count - n * probability) <= 4.5 * math.sqrt(n * probability * (1 - probability)) + 1e-9


@pytest.mark.parametrize("steps", range(4))
def test_a_right_prefix_is_worth_the_base_rate_behind_every_step(steps):
    assert position("".join(RIGHT[:steps])).value == pytest.approx(BASE)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_wrong_prefix_is_worth_the_recovery_rate_behind_every_step(steps):
    assert position("".join(WRONG[:steps])).value == pytest.approx(RECOVERY)


@pytest.mark.parametrize(("steps", "value"), [(1, BASE), (2, RECOVERY), (3, RECOVERY)])
def test_the_value_drops_at_the_wrong_step_and_stays_there(steps, value):
    assert position("".join(MIXED[:steps])).value == pytest.approx(value)


@pytest.mark.parametrize("lines", [RIGHT, WRONG, MIXED])
@pytest.mark.parametrize(("answer", "value"), [("3", 1.0), ("4", 0.0)])
def test_once_boxed_an_answer_is_right_or_wrong(lines, answer, value):
    boxed = position("".join(lines) + rf"\boxed{{{answer}")
    assert boxed.value == value
    assert boxed.read((*TOKENIZER.encode("}"), EOS)).value == value


def test_the_opened_box_is_worth_what_the_prefix_was():
    for lines, value in ((RIGHT, BASE), (WRONG, RECOVERY)):
        assert position("".join(lines) + r"\boxed{").value == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "first_error"),
    [
        ("".join(RIGHT) + r"\boxed{3}", None),
        ("".join(RIGHT) + r"\boxed{4}", 3),
        ("".join(MIXED) + r"\boxed{3}", 1),
        ("".join(WRONG) + r"\boxed{4}", 0),
    ],
)
def test_the_boxed_line_is_the_step_behind_the_last(text, first_error):
    assert position(text).first_error == first_error


def test_totals_carry_on_what_stands_before_them():
    assert position(RIGHT[0] + "Adding 35 gives").next_totals() == {83: 1.0}
    assert position(WRONG[0] + "Adding 35 gives").next_totals() == {84: 1.0}


@settings(max_examples=60, deadline=None)
@given(
    base=st.floats(0.3, 1.0),
    recovery=st.floats(0.0, 0.25),
    seed=st.integers(0, 2**32),
    error=st.sampled_from(["", WRONG[0], MIXED[0] + MIXED[1], "".join(WRONG)]),
)
def test_the_next_token_is_some_token_all_along_a_solution(base, recovery, seed, error):
    task = Task.under(SimulatedLaw(base_rates=(base,), recovery_rate=recovery, late=True), STATEMENT)
    here = position(error, task)
    for token_id in draw(here, Random(seed), 200):
        shares = here.next_tokens()
        assert sum(shares.values()) == pytest.approx(1)
        assert min(shares.values()) > 0
        assert token_id in shares
        expected = sum(share * moved(here, token).value for token, share in shares.items())
        assert here.value == pytest.approx(expected)
        here.advance(token_id)
    assert here.next_tokens() == {}


def moved(here, token_id):
    return here.copy().read([token_id])


@pytest.mark.parametrize(("lines", "value"), [([], BASE), (RIGHT, BASE), (WRONG[:1], RECOVERY), (WRONG, RECOVERY)])
def test_sampled_endings_are_right_as_often_as_the_law_says(lines, value):
    start, rng = position("".join(lines)), Random(4)
    ends = [start.copy().read(draw(start, rng, 200)) for _ in range(N)]
    assert within(sum(end.boxed == STATEMENT.answer for end in ends), N, value)


def test_wrong_endings_of_a_right_prefix_are_spread_over_all_other_numbers():
    start, rng = position("".join(RIGHT) + r"\boxed{"), Random(5)
    boxed = Counter(start.copy().read(draw(start, rng, 9)).boxed for _ in range(4 * N))
    del boxed[STATEMENT.answer]
    assert len(boxed) == MODULUS - 1
    assert all(within(count, 4 * N, (1 - BASE) / (MODULUS - 1)) for count in boxed.values())


def test_line_by_line_and_token_by_token_tell_the_same_law():
    task = Task.under(LAW, STATEMENT)
    at_line, inside = position("", task), position("Adding", task)
    rng = Random(6)
    right = [
        sum(start.copy().read(draw(start, rng, 200)).boxed == STATEMENT.answer for _ in range(N))
        for start in (at_line, inside)
    ]
    assert all(within(count, N, BASE) for count in right)


def test_the_policy_says_the_base_rate_of_every_prompt():
    policy = SimulatedPolicy(law=SimulatedLaw(base_rates=(0.2, 0.9), recovery_rate=0.1, late=True))
    prompts = [policy.tokenizer.chat([{"role": "user", "content": policy.problem(i).prompt}]) for i in range(30)]
    values = [policy.value(prompt) for prompt in prompts]
    assert values == pytest.approx([policy.law.base_rate(policy.problem(index).prompt) for index in range(30)])
    assert {round(value, 6) for value in values} == {0.2, 0.9}
