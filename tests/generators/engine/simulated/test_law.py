import math
from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.engine.errors import RequestRefused
from generators.engine.simulated.draw import draw, next_shares, score
from generators.engine.simulated.law import SimulatedLaw, chain_value, solved_error_rate
from generators.engine.simulated.position import Position, Task
from generators.engine.simulated.statement import SimulatedProblems, Statement
from generators.engine.simulated.vocabulary import ADDING, EOS, FILLERS, SPACED, VOCABULARY_SIZE, SimulatedTokenizer

TOKENIZER = SimulatedTokenizer()
STATEMENT = Statement(start=41, addends=(7, 35, 20))
TASK = Task(statement=STATEMENT, error_rate=0.3, recovery_rate=0.2, filler_rate=0.5)
RIGHT = "Adding 7 gives 48\nAdding 35 gives 83\nAdding 20 gives 3\n\\boxed{3}"
SLIPPED = "Adding 7 gives 48\nAdding 35 gives 84\nAdding 20 gives 4\n\\boxed{4}"
RECOVERED = "Adding 7 gives 49\nAdding 35 gives 84\nAdding 20 gives 3\n\\boxed{3}"
RATES = st.floats(0, 1)


def position(text, task=TASK):
    return Position(task).read(TOKENIZER.encode(text))


def within(count, n, probability):
    """The count lies within 4.5 standard deviations of its mean."""
    return abs(count - n * probability) <= 4.5 * math.sqrt(n * probability * (1 - probability)) + 1e-9


@pytest.mark.parametrize("base_rate", [0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("recovery_rate", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("n_steps", [1, 5, 14])
def test_the_solved_error_rate_gives_the_base_rate(base_rate, recovery_rate, n_steps):
    error_rate = solved_error_rate(base_rate, recovery_rate, n_steps)
    value = chain_value(right=True, error_rate=error_rate, recovery_rate=recovery_rate, remaining=n_steps)
    assert value == pytest.approx(base_rate)


@given(error_rate=RATES, recovery_rate=RATES, remaining=st.integers(0, 20), right=st.booleans())
def test_the_closed_form_is_the_chain_moved_step_by_step(error_rate, recovery_rate, remaining, right):
    share = float(right)
    for _ in range(remaining):
        share = share * (1 - error_rate) + (1 - share) * recovery_rate
    value = chain_value(right=right, error_rate=error_rate, recovery_rate=recovery_rate, remaining=remaining)
    assert value == pytest.approx(share, abs=1e-9)


def test_prompts_draw_their_base_rates_evenly_and_for_good():
    law = SimulatedLaw(base_rates=(0.3, 0.6), recovery_rate=0.0)
    rates = Counter(law.step_error_rate(f"problem {index}", 1) for index in range(1000))
    assert sorted(rates) == pytest.approx([0.4, 0.7])
    assert all(within(count, 1000, 0.5) for count in rates.values())


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"recovery_rate": -0.1}, "recovery_rate must be from 0 to 1, got -0.1"),
        ({"error_rates": (0.1, 1.5)}, "error_rates must be from 0 to 1, got"),
        ({"base_rates": (0.5, 0.05)}, "base_rates must be above recovery_rate=0.05"),
        ({"base_rates": ()}, "base_rates must be above"),
        ({"mean_fillers": -1.0}, "mean_fillers must be at least 0, got -1.0"),
    ],
)
def test_a_law_out_of_bounds_is_refused(settings, complaint):
    with pytest.raises(ValueError, match=complaint):
        SimulatedLaw(**settings)


def test_a_given_error_rate_needs_no_base_rates():
    law = SimulatedLaw(error_rates=(0.3,), recovery_rate=0.5)
    assert law.step_error_rate("any problem", 9) == 0.3


@given(st.integers(0, 10**6))
def test_a_statement_is_found_again_inside_a_prompt(index):
    statement = SimulatedProblems().statement(index)
    assert 5 <= len(statement.addends) <= 14
    assert Statement.find(f"Start with 1. Add 2. Give up?\n{statement.text} Box it.") == statement


def test_the_last_statement_of_a_prompt_counts():
    first, last = (SimulatedProblems().statement(index) for index in range(2))
    assert Statement.find(f"{first.text}\n{last.text}") == last
    assert Statement.find("What is 2 + 2?") is None


@pytest.mark.parametrize(
    ("text", "is_right", "step", "first_error"),
    [
        ("", True, 0, None),
        ("Adding 7 gives", True, 0, None),
        ("Adding 7 gives 48", True, 1, None),
        ("Adding 7 now then gives 49\nAdding", False, 1, 0),
        (RIGHT, True, 3, None),
        (SLIPPED, False, 3, 1),
        (RECOVERED, True, 3, 0),
        (RIGHT.replace("{3}", "{5}"), True, 3, 3),
    ],
)
def test_a_prefix_is_read_from_its_tokens_alone(text, is_right, step, first_error):
    found = position(text)
    assert (found.is_right, found.step, found.first_error) == (is_right, step, first_error)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Adding 7 gives 48\nAdding 35 gives 83\nAdding 20", 0.7),
        ("Adding 7 gives 48\nAdding 35 gives 80\nAdding 20 now gives", 0.2),
        ("Adding 7 gives 48\nAdding 35", 0.7 * 0.7 + 0.3 * 0.2),
        ("Adding 7 gives 48\nAdding 35 gives 80\n", 0.2),
        (RIGHT[:-2], 1.0),
        (RIGHT, 1.0),
        (SLIPPED, 0.0),
        (RIGHT.replace("{3}", "{5}"), 0.0),
        ("\\boxed{", 0.0),
        ("\\boxed{3}", 1.0),
    ],
)
def test_the_value_of_a_prefix_is_a_formula(text, value):
    assert position(text).value == pytest.approx(value)


@pytest.mark.parametrize("text", [RIGHT, SLIPPED, RECOVERED])
def test_the_value_is_the_mean_of_the_values_one_token_on(text):
    here = Position(TASK)
    for token_id in (*TOKENIZER.encode(text), EOS):
        shares = here.next_tokens()
        ahead = {token: here.copy().read([token]).value for token in shares}
        assert sum(share * ahead[token] for token, share in shares.items()) == pytest.approx(here.value)
        assert token_id in shares
        here.advance(token_id)
    assert here.next_tokens() == {}


@given(st.lists(st.integers(0, 250) | st.integers(0, VOCABULARY_SIZE - 1), max_size=40), st.integers(0, 9))
def test_any_prefix_at_all_has_a_law_and_a_continuation(token_ids, seed):
    here = Position(TASK).read(token_ids)
    shares = here.next_tokens()
    assert not shares or sum(shares.values()) == pytest.approx(1)
    assert 0 <= here.value <= 1
    drawn = draw(here, Random(seed), 1000)
    assert not shares or drawn[-1] == EOS
    assert all(math.isfinite(one) for one in score(here, drawn))


def next_total(here, rng):
    ahead = here.copy()
    for token_id in draw(here, rng, 1000):
        ahead.advance(token_id)
        if ahead.step > here.step:
            return ahead.stated
    raise AssertionError("no total was stated")


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("", {48: 0.7} | {total: 0.3 / 99 for total in range(100) if total != 48}),
        ("Adding 7 now gives", {48: 0.7} | {total: 0.3 / 99 for total in range(100) if total != 48}),
        ("Adding 7 gives 50\n", {83: 0.2, 85: 0.8}),
        ("Adding 7 gives 50\nAdding 35 so", {83: 0.2, 85: 0.8}),
    ],
)
def test_drawn_totals_follow_the_law(text, shares):
    here, rng, n = position(text), Random(1), 4000
    totals = Counter(next_total(here, rng) for _ in range(n))
    assert set(totals) <= set(shares)
    assert all(within(totals[total], n, share) for total, share in shares.items())


def test_drawn_steps_vary_in_length_as_the_law_says():
    law = SimulatedLaw(mean_fillers=3.0)
    here, rng, n = Position(Task.under(law, STATEMENT)), Random(1), 2000
    fillers = [token_id for _ in range(n) for token_id in draw(here, rng, 1000) if token_id in FILLERS]
    lines = n * len(STATEMENT.addends)
    assert abs(len(fillers) / lines - 3.0) < 4.5 * math.sqrt(12 / lines)
    assert all(within(count, len(fillers), 1 / len(FILLERS)) for count in Counter(fillers).values())


def test_a_law_without_fillers_writes_none():
    here = Position(Task.under(SimulatedLaw(mean_fillers=0, error_rates=(0.0,)), STATEMENT))
    assert TOKENIZER.decode(draw(here, Random(1), 1000)) == RIGHT


def test_a_score_is_the_log_probability_of_the_choices_made():
    scores = score(position(""), TOKENIZER.encode("Adding 7 now gives 48\nAdding 35 gives 80\n"))
    choices = (0.5 / 8, 0.5, 0.7, 0.5, 0.3 / 99)  # a filler, none more, a right total, no filler, a slip
    assert sum(scores) == pytest.approx(math.log(math.prod(choices)))
    assert score(position(""), TOKENIZER.encode("Once")) == (-math.inf,) * 4


@pytest.mark.parametrize("late", [False, True])
def test_what_is_left_shares_the_probability_of_an_excluded_total(late):
    here = position("Adding 7 gives", task=replace(TASK, late=late))
    true, *others = SPACED[48], SPACED[49], SPACED[50]
    whole, left = here.next_tokens(), next_shares(here, (true,))
    if late:  # nothing else may be stated: some filler comes, and totals stay as they are
        assert set(left) == set(FILLERS)
        return
    assert left == {token_id: share for token_id, share in whole.items() if token_id != true}
    drawn = Counter(draw(here, Random(seed), 1, excluded=(true,))[0] for seed in range(4000))
    assert true not in drawn
    for token_id in others:
        assert within(drawn[token_id], 4000, whole[token_id] / (1 - whole[true]))


@given(seed=st.integers(0, 2**32), max_tokens=st.integers(1, 60), excluded=st.sets(st.sampled_from(FILLERS[:-1])))
def test_excluded_ids_are_never_drawn_and_a_shorter_limit_cuts_the_same_continuation(seed, max_tokens, excluded):
    here = position("Adding 7")
    whole = draw(here, Random(seed), 60, excluded=tuple(excluded))
    assert not excluded & set(whole)
    assert draw(here, Random(seed), max_tokens, excluded=tuple(excluded)) == whole[:max_tokens]


def test_a_law_that_may_write_nothing_is_refused():
    with pytest.raises(RequestRefused, match="excluded leaves the simulated policy no token"):
        next_shares(position("\n"), (ADDING, *FILLERS))
