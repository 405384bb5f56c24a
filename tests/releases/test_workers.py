"""Blocks of rows are worked on side by side, and nobody can tell by what comes out."""

from itertools import count

import pytest

from releases.workers import HERE, workers


def squared(number):
    if number == 13:
        raise ValueError("13 brings bad luck")
    return number * number


@pytest.mark.parametrize("n", [1, 2])
def test_results_come_in_the_order_of_the_items(n):
    with workers(n) as some:
        assert list(some.map(squared, range(12))) == [n * n for n in range(12)]


def test_an_error_of_a_worker_is_raised_here():
    with workers(2) as some, pytest.raises(ValueError, match="13 brings bad luck"):
        list(some.map(squared, range(10, 20)))


def test_items_without_end_are_taken_as_results_are():
    numbers = count()
    with workers(2) as some:
        results = some.map(squared, numbers)
        assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
        results.close()
    assert next(numbers) <= 5 + 2 * 2


def test_one_worker_is_this_process():
    with workers(1) as some:
        assert some is HERE


def test_no_worker_is_refused():
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        workers(0)


def test_tasks_of_ray_give_the_same():
    pytest.importorskip("ray")
    with workers(2, on_ray=True) as some:
        assert list(some.map(squared, range(12))) == [n * n for n in range(12)]
