"""The forecast of the time left, against simulated engines whose items are long-tailed."""

import heapq
import math
import random

import pytest

from generators.sampling.time_left import LEAST_FINISHED, TimeLeft, log_normal

MOMENTS = 40
SEEDS = range(6)


def long_tailed(spread, cap=math.inf):
    return lambda draws: min(math.exp(draws.gauss(0, spread)), cap)


def forecasts(law, *, n, window, slope, seed, minutes=30):
    """The time left and its forecast at moments of the last half of one run.

    The engine generates for all open items alike, at a pace that grows with their number to the power of `slope`.
    """
    draws = random.Random(seed)
    sizes = [law(draws) * 1000 for _ in range(n)]
    events = run_of(sizes, window, slope)
    scale = minutes * 60 / events[-1][0]
    now, generated = 0.0, 0.0
    left = TimeLeft(tokens=lambda: int(generated), clock=lambda: now)
    left.expect(n, window=window)
    end = events[-1][0] * scale
    looks = [(end * moment / MOMENTS, None, None, None) for moment in range(1, MOMENTS)]
    stated, before, n_open, pace = [], (0.0, 0.0), 0, 0.0
    timed = [(at * scale, *rest) for at, *rest in events]
    for at, total, begun, finished in sorted([*timed, *looks], key=lambda event: event[0]):
        now = at
        if total is None:
            generated = before[1] + (at - before[0]) * pace
            forecast = left.seconds()
            if at >= end / 2:
                stated.append((end - at, forecast))
            continue
        generated = total
        for item in finished:
            left.finish(item)
        for item in begun:
            left.begin(item)
        n_open += len(begun) - len(finished)
        before, pace = (at, total), n_open**slope * 1000 / scale
    return stated


def run_of(sizes, window, slope):
    """Each moment at which items begin and finish, with all tokens until then."""
    waiting = list(range(min(window, len(sizes)), len(sizes)))[::-1]
    first = list(range(min(window, len(sizes))))
    ends = [(sizes[item], item) for item in first]
    heapq.heapify(ends)
    events, now, size, total = [(0.0, 0.0, first, [])], 0.0, 0.0, 0.0
    while ends:
        n_open = len(ends)
        end, item = heapq.heappop(ends)
        now += (end - size) * n_open / (n_open**slope * 1000)
        total += (end - size) * n_open
        size = end
        begun = [waiting.pop()] if waiting else []
        for new in begun:
            heapq.heappush(ends, (size + sizes[new], new))
        events.append((now, total, begun, [item]))
    return events


def within_two(left, forecast):
    return left / 2 <= forecast <= 2 * left


SATURATED, BETWEEN, UNBOUND = 0.0, 0.5, 1.0


@pytest.mark.parametrize(
    "law, n, window, slope",
    [
        (long_tailed(1.0), 1000, 64, SATURATED),
        (long_tailed(1.0), 1000, 64, BETWEEN),
        *[(long_tailed(1.0, cap=4.0), 200, 32, slope) for slope in (SATURATED, BETWEEN, UNBOUND)],
        *[(long_tailed(1.5, cap=4.0), 50, 8, slope) for slope in (SATURATED, BETWEEN, UNBOUND)],
        *[(lambda _: 1.0, 100, 16, slope) for slope in (SATURATED, BETWEEN, UNBOUND)],
    ],
)
def test_over_the_last_half_the_forecast_is_within_a_factor_of_two(law, n, window, slope):
    runs = [forecasts(law, n=n, window=window, slope=slope, seed=seed) for seed in SEEDS]
    right = [[within_two(left, said) for left, said in run if said is not None] for run in runs]
    stated = sum(map(len, right))
    assert stated >= 0.8 * sum(map(len, runs))
    assert sum(map(sum, right)) >= 0.85 * stated


def test_nothing_is_said_while_nothing_is_known():
    said = [said for _, said in forecasts(long_tailed(2.0), n=24, window=64, slope=SATURATED, seed=1)]
    assert said == [None] * len(said)


def test_items_that_the_ledger_holds_say_nothing_about_the_others():
    now, generated = 0.0, 0
    left = TimeLeft(tokens=lambda: generated, clock=lambda: now)
    left.expect(200, window=1)
    for item in range(100):
        left.begin(item)
        left.finish(item)
    assert left.seconds() is None
    for item in range(100, 120):
        left.begin(item)
        now, generated = now + 10, generated + 500
        left.seconds()
        left.finish(item)
    left.begin(120)
    now, generated = now + 5, generated + 250
    assert left.seconds() == pytest.approx(795, rel=0.1)


def test_between_two_forecasts_the_time_left_runs_down():
    now, generated = 0.0, 0
    left = TimeLeft(tokens=lambda: generated, clock=lambda: now)
    left.expect(LEAST_FINISHED + 2, window=1)
    for item in range(LEAST_FINISHED + 1):
        left.begin(item)
        now, generated = now + 10, generated + 100
        left.seconds()
        left.finish(item)
    left.begin("last")
    now, generated = now + 5, generated + 50
    first = left.seconds()
    now += 2
    assert left.seconds() == pytest.approx(first - 2)


def test_the_fit_finds_the_law_of_items_that_are_partly_open_still():
    draws = random.Random(3)
    sizes = [math.exp(draws.gauss(2.0, 1.0)) for _ in range(2000)]
    limit = math.exp(2.5)
    finished = sorted(size for size in sizes if size <= limit)
    mean, spread = log_normal(finished, [limit] * (len(sizes) - len(finished)))
    assert (mean, spread) == (pytest.approx(2.0, abs=0.08), pytest.approx(1.0, abs=0.08))
