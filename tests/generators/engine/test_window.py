import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.engine.window import Window


def answers(window, refused, *, taken, now=0.0, retry_after_s=None):
    for is_refused in refused:
        if is_refused:
            window.refused(taken=taken, now=now, retry_after_s=retry_after_s)
        else:
            window.answered(taken=taken)


def test_a_window_is_unbounded_until_something_is_refused():
    window = Window()
    answers(window, [False] * 1000, taken=64)
    assert window.limit == math.inf


def test_one_refusal_in_five_shrinks_nothing():
    window = Window()
    answers(window, [number % 5 == 0 for number in range(1000)], taken=64)
    assert window.limit == math.inf


def test_a_server_that_refuses_most_gets_less_each_round_and_more_again_when_it_takes_all():
    window = Window()
    answers(window, [True] * 64, taken=64)
    assert window.limit == 32
    answers(window, [True] * 32, taken=32)
    assert window.limit == 16
    answers(window, [False] * 64, taken=16)
    assert window.limit > 40


def test_a_server_that_refuses_although_it_has_nothing_else_is_left_alone_ever_longer():
    window = Window()
    pauses = []
    for _ in range(20):
        window.refused(taken=1, now=100.0, retry_after_s=None)
        pauses.append(window.paused_until - 100.0)
    assert pauses[:4] == [-math.inf] * 4
    assert pauses[4:] == sorted(pauses[4:]) and pauses[-1] == 10.0
    window.answered(taken=1)
    assert window.has_room(1, taken=0, now=100.0)


def test_such_a_pause_lasts_as_long_as_the_server_asks_for():
    window = Window()
    answers(window, [True] * 5, taken=1, now=100.0, retry_after_s=30.0)
    assert not window.has_room(1, taken=0, now=129.0)
    assert window.has_room(1, taken=0, now=130.0)


def test_a_refusal_beside_requests_that_are_served_pauses_nothing():
    window = Window()
    answers(window, [True] * 200, taken=8, now=0.0, retry_after_s=30.0)
    assert window.has_room(1, taken=0, now=0.0)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 200)), max_size=400), st.integers(1, 64))
def test_whatever_was_refused_a_server_with_nothing_to_do_may_be_given_any_request_after_the_pause(history, n):
    window = Window()
    for refused, taken in history:
        answers(window, [refused], taken=taken)
    assert window.limit >= 1
    assert window.has_room(n, taken=0, now=10.0)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.2])
def test_after_any_trouble_a_window_grows_back_while_few_are_refused(share):
    window = Window()
    window.start_again()
    refusing = int(1 / share) if share else 10**9
    for number in range(1, 5000):
        answers(window, [number % refusing == 0], taken=max(1, min(64, int(window.limit))))
    assert window.limit >= 64
