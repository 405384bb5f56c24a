"""What is chosen among the attempts at a problem, and that it follows from the set of them."""

from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.records import Problem
from generators.short_right.choice import FEW_RIGHT, NO_RIGHT, Attempted, Choice, choose
from generators.short_right.dataset import right_ones_apart
from generators.short_right.settings import Settings
from generators.short_right.table import SHORT_RIGHT, row_of

SETTINGS = Settings()
PROBLEM = Problem(problem_id="p", source="s", prompt="How many apples?", answer="6")
ORIGIN = {"policy": "simulated", "round": "r1", "slice": "sums-0"}
RIGHT, WRONG, LONG = ("equal", "eos"), ("different", "eos"), ("equal", "length")
NONE, OPEN = ("no_answer", "eos"), ("timeout", "eos")


def text(number):
    """A text whose word trigrams no other number has."""
    return " ".join(f"{word}{number}" for word in "abcdefgh")


def rows(*attempts):
    """The attempts (tokens, outcome) as rows, in the order of their index; a third item is their text."""
    return [
        {
            "attempt_index": index,
            "text": given[0] if given else text(index),
            "n_tokens": length,
            "verdict": verdict,
            "finish_reason": finish,
        }
        for index, (length, (verdict, finish), *given) in enumerate(attempts)
    ]


def chosen(*attempts, settings=SETTINGS, problem_id="p"):
    attempted = Attempted.of(problem_id, PROBLEM.prompt, rows(*attempts))
    return choose(attempted, settings=settings, near_equal=0.7)


def index_of(solution):
    return None if solution is None else solution.attempt_index


# Attempts, and the indices of the shortest right one, the longer right one and the longer wrong one.
CHOICES = [
    ([(20, RIGHT), (10, RIGHT)], (1, 0, None)),
    ([(14, RIGHT), (10, RIGHT)], (1, None, None)),
    ([(15, RIGHT), (10, RIGHT)], (1, 0, None)),  # exactly 1.5 times as long
    ([(10, RIGHT), (10, RIGHT), (11, WRONG)], (0, None, 2)),
    ([(10, RIGHT), (12, RIGHT), (10, WRONG), (5, WRONG)], (0, None, None)),
    ([(5, LONG), (10, RIGHT), (12, RIGHT), (99, ("different", "length"))], (1, None, None)),
    ([(10, RIGHT), (12, RIGHT), (30, NONE), (40, OPEN)], (0, None, None)),
    ([(10, RIGHT), (12, RIGHT), (30, WRONG, f"{text(0)} once")], (0, None, None)),  # nearly the same text
    ([(10, RIGHT, "2 + 2 = 5, and so it is 6."), (12, RIGHT), (13, RIGHT)], (1, None, None)),  # a false equation
]
NO_CHOICES = [
    ([], NO_RIGHT),
    ([(10, WRONG), (10, LONG), (10, NONE)], NO_RIGHT),
    ([(10, RIGHT), (90, WRONG)], FEW_RIGHT),
]


@pytest.mark.parametrize(("attempts", "indices"), CHOICES)
def test_the_shortest_right_attempt_is_set_against_longer_ones(attempts, indices):
    choice = chosen(*attempts)
    assert (choice.shortest.attempt_index, index_of(choice.longer_right), index_of(choice.longer_wrong)) == indices


@pytest.mark.parametrize(("attempts", "reason"), NO_CHOICES)
def test_a_problem_without_enough_right_attempts_has_no_row_but_a_reason(attempts, reason):
    assert chosen(*attempts) == reason


def test_one_right_attempt_is_enough_where_the_settings_say_so():
    choice = chosen((10, RIGHT), (90, WRONG), settings=Settings(least_right=1))
    assert (choice.control, index_of(choice.longer_wrong)) == (choice.shortest, 1)


def test_a_row_says_what_the_shortest_was_chosen_from():
    attempts = ((30, RIGHT), (10, RIGHT), (16, RIGHT), (8, WRONG), (40, WRONG), (50, LONG), (60, NONE))
    row = row_of(PROBLEM, chosen(*attempts), ORIGIN)
    assert SHORT_RIGHT.frame([row]).height == 1
    figures = ("n_tokens", "rank", "n_drawn", "n_right", "n_wrong", "n_truncated")
    assert [row[name] for name in figures] == [10, 2, 7, 3, 2, 1]
    assert (row["median_right_tokens"], row["median_wrong_tokens"]) == (16.0, 24.0)
    assert (row["longer_right_ratio"], row["longer_wrong_ratio"]) in {(3.0, 4.0), (1.6, 4.0)}


def test_the_control_is_each_right_attempt_equally_often():
    attempts = [(10 + place, RIGHT) for place in range(4)]
    counts = Counter(chosen(*attempts, problem_id=str(number)).control.attempt_index for number in range(2000))
    assert set(counts) == set(range(4))
    assert all(abs(count - 500) < 4.5 * (2000 * 0.25 * 0.75) ** 0.5 for count in counts.values())


OUTCOMES = st.sampled_from([RIGHT, WRONG, LONG, NONE, OPEN])
ATTEMPTS = st.lists(st.tuples(st.integers(1, 60), OUTCOMES), max_size=12)


@given(attempts=ATTEMPTS, chance=st.randoms(use_true_random=False), least_ratio=st.floats(1.1, 3))
def test_every_choice_keeps_its_promises_and_follows_from_the_set_of_attempts(attempts, chance, least_ratio):
    settings, shuffled = Settings(least_ratio=least_ratio), rows(*attempts)
    chance.shuffle(shuffled)
    choice = chosen(*attempts, settings=settings)
    again = choose(Attempted.of("p", PROBLEM.prompt, shuffled), settings=settings, near_equal=0.7)
    if not isinstance(choice, Choice):
        assert again == choice
        return
    row = row_of(PROBLEM, choice, ORIGIN)
    assert row_of(PROBLEM, again, ORIGIN) == row
    SHORT_RIGHT.frame([row])
    right = [length for length, outcome in attempts if outcome == RIGHT]
    wrong = [length for length, outcome in attempts if outcome == WRONG]
    assert row["n_tokens"] == min(right) and row["control_tokens"] in right
    apart = [length for length in right if length >= least_ratio * min(right)]
    assert (row["longer_right_tokens"] in apart) if apart else row["longer_right"] is None
    longer = [length for length in wrong if length > min(right)]
    assert (row["longer_wrong_tokens"] in longer) if longer else row["longer_wrong"] is None


@pytest.mark.parametrize(("ratios", "passed"), [([], True), ([1.5, None, 4.0], True), ([1.5, 1.49], False)])
def test_the_check_fails_by_one_rejected_right_attempt_that_is_too_short(ratios, passed):
    table = pl.DataFrame({"longer_right_ratio": ratios}, schema={"longer_right_ratio": pl.Float64})
    assert right_ones_apart(table, 1.5).passed is passed
