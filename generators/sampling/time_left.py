"""The time that is left for items with long tails, of which a bounded number is open at once.

An item's size is counted in tokens for each open item, so that a slow minute of the engine makes no item look large.
The sizes of finished items and, as lower bounds, of open ones give the distribution (Kaplan and Meier's estimate, and a
censored log-normal fit beyond the largest finished item). The rest of the work is then simulated many times: how large
the open items become, how large those are that have not begun, and how the engine's pace falls as fewer are open. Where
these simulations differ much, nothing is known, and nothing is said.
"""

import heapq
import math
import random
import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

LEAST_FINISHED = 8
MOST_SPREAD = 4.0  # the ninth decile of the simulations over the first: beyond it, half or double would be luck
RENEWED_S = 5.0
_SIMULATIONS = 20
_LOOK_AHEAD = 2  # windows of items that are simulated one by one; those after them count by their mean
_RECENT = 3
_NORMAL = NormalDist()
_SLOPE, _SLOPE_SPREAD, _PACE_NOISE = 0.5, 0.35, 0.2


@dataclass(slots=True, kw_only=True)
class TimeLeft:
    """Watches items begin and finish, and forecasts when the last one will have finished.

    `tokens` counts what the engine has generated. Items that nothing was generated for, such as those that the ledger
    holds, say nothing about the others.
    """

    tokens: Callable[[], int]
    clock: Callable[[], float] = time.monotonic
    _not_begun: int = field(default=0, init=False)
    _window: int = field(default=1, init=False)
    _open: dict[Hashable, float] = field(default_factory=dict, init=False)
    _finished: list[float] = field(default_factory=list, init=False)
    _size: float = field(default=0.0, init=False)
    _counted: int = field(default=0, init=False)
    _paces: list[tuple[int, float]] = field(default_factory=list, init=False)
    _looked: tuple[float, int] | None = field(default=None, init=False)
    _said: tuple[float, float | None] = field(default=(-math.inf, None), init=False)

    def expect(self, items: int, *, window: int) -> None:
        """Other items follow, at most `window` at a time; those before them are forgotten."""
        self._not_begun, self._window = items, window
        self._open.clear()
        self._finished.clear()
        self._said = (-math.inf, None)

    def begin(self, item: Hashable) -> None:
        """Work on an item begins."""
        self._advance()
        self._not_begun -= 1
        self._open[item] = self._size

    def finish(self, item: Hashable) -> None:
        """Work on an item is done."""
        self._advance()
        size = self._size - self._open.pop(item)
        if size > 0:
            insort(self._finished, size)

    def seconds(self) -> float | None:
        """The seconds that are left, None while they are not known within about a factor of two."""
        now = self.clock()
        if now - self._said[0] >= RENEWED_S:
            self._advance()
            self._look(now)
            self._said = (now, self._forecast())
        said_at, left = self._said
        return None if left is None else max(0.0, left - (now - said_at))

    def _advance(self) -> None:
        """Share what was generated since the last event among the items that are open."""
        counted = self.tokens()
        if self._open:
            self._size += (counted - self._counted) / len(self._open)
        self._counted = counted

    def _look(self, now: float) -> None:
        """Note the engine's pace since the last look, and how many items are open."""
        if self._looked is not None and self._open:
            at, counted = self._looked
            pace = (self._counted - counted) / (now - at)
            if pace > 0:
                self._paces.append((len(self._open), pace))
        self._looked = (now, self._counted)

    def _forecast(self) -> float | None:
        if len(self._finished) < LEAST_FINISHED or not self._paces or not self._open:
            return None
        ages = [self._size - begun for begun in self._open.values()]
        draws = random.Random(len(self._finished))
        simulated = sorted(self._simulated(ages, draws) for _ in range(_SIMULATIONS))
        low, high = simulated[_SIMULATIONS // 10], simulated[-1 - _SIMULATIONS // 10]
        return simulated[_SIMULATIONS // 2] if high <= MOST_SPREAD * low else None

    def _simulated(self, ages: Sequence[float], draws: random.Random) -> float:
        """How long the rest takes in one simulation."""
        sizes = Sizes(self._finished, ages, draws)
        slope = min(1.0, max(0.0, draws.gauss(*slope_of(self._paces))))
        recent = self._paces[-_RECENT:]
        pace = sum(of_look * (len(ages) / n_open) ** slope for n_open, of_look in recent) / len(recent)
        soon = min(self._not_begun, _LOOK_AHEAD * self._window)
        later = self._not_begun - soon
        seconds = later * sizes.mean() / pace if later else 0.0
        ends = [sizes.draw(age) - age for age in ages]
        heapq.heapify(ends)
        size = 0.0
        while ends:
            end = ends[0]
            seconds += (end - size) * len(ends) / (pace * (len(ends) / len(ages)) ** slope)
            size = end
            if soon:
                heapq.heapreplace(ends, size + sizes.draw())
                soon -= 1
            else:
                heapq.heappop(ends)
        return seconds


class Sizes:
    """The distribution of the sizes of items: those of the `finished` ones, in order, and `ages` that open ones exceed.

    The log-normal tail is drawn anew for each instance, since a few items do not determine it.
    """

    def __init__(self, finished: Sequence[float], ages: Sequence[float], draws: random.Random) -> None:
        self._draws = draws
        self._finished = finished
        self._survival = _survival(finished, sorted(ages))
        mean, spread = log_normal(finished, ages)
        n = len(finished)
        self._log_mean = mean + spread * draws.gauss(0, 1) / math.sqrt(n)
        self._log_spread = spread * math.exp(draws.gauss(0, 1.5) / math.sqrt(2 * n))

    def draw(self, age: float = 0.0) -> float:
        """The size of an item that is larger than `age`."""
        return self._quantile(age, 1.0 - self._draws.random())

    def mean(self, n: int = 100) -> float:
        """The mean size, from quantiles of the distribution."""
        return sum(self._quantile(0.0, (index + 0.5) / n) for index in range(n)) / n

    def _quantile(self, age: float, share: float) -> float:
        """The size that `share` of the items larger than `age` exceed."""
        known = bisect_right(self._finished, age)
        surviving = share * (self._survival[known - 1] if known else 1.0)
        index = bisect_left(self._survival, -surviving, lo=known, key=lambda value: -value)
        if index < len(self._finished):
            return self._finished[index]
        beyond = share if known == len(self._finished) else surviving / self._survival[-1]
        return self._tail(max(age, self._finished[-1]), min(1.0, beyond))

    def _tail(self, least: float, share: float) -> float:
        """The size that `share` of the items larger than `least` exceed, by the log-normal fit."""
        score = (math.log(least) - self._log_mean) / self._log_spread
        exceeding = _NORMAL.cdf(-score) * share
        if exceeding < 1e-300:  # so far out that the fit knows of no such item
            return least
        return max(least, math.exp(self._log_mean - self._log_spread * _NORMAL.inv_cdf(exceeding)))


def _survival(finished: Sequence[float], ages: Sequence[float]) -> list[float]:
    """The share of items larger than each of the finished ones, both in order, by Kaplan and Meier."""
    survival, share = [], 1.0
    for index, size in enumerate(finished):
        at_risk = len(finished) - index + len(ages) - bisect_left(ages, size)
        share *= 1.0 - 1.0 / at_risk
        survival.append(max(share, 1e-9))
    return survival


def log_normal(finished: Sequence[float], ages: Sequence[float], *, rounds: int = 30) -> tuple[float, float]:
    """Mean and spread of the logarithms of sizes, where `ages` are exceeded; by expectation and maximisation."""
    logs = [math.log(size) for size in finished]
    exceeded = [math.log(age) for age in ages if age > 0]
    n = len(logs) + len(exceeded)
    total, squares = sum(logs), sum(value * value for value in logs)
    mean = total / len(logs)
    spread = math.sqrt(max(squares / len(logs) - mean * mean, 0.09))
    for _ in range(rounds):
        first, second = total, squares
        for value in exceeded:
            hazard = _hazard((value - mean) / spread)
            first += mean + spread * hazard
            second += mean * mean + spread * spread + spread * (value + mean) * hazard
        mean_before, mean = mean, first / n
        spread = math.sqrt(max(second - n * mean * mean + 1.0, 1e-4) / (n + 1))  # a weak prior of spread 1
        if abs(mean - mean_before) < 1e-3:
            break
    return mean, spread


def _hazard(score: float) -> float:
    """The mean of a standard normal variable above `score`."""
    return score + 1.0 / score if score > 8 else _NORMAL.pdf(score) / _NORMAL.cdf(-score)


def slope_of(paces: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """By which power of the number of open items the pace of the engine grows: mean and spread.

    It is 0 for an engine that is saturated, and 1 for one whose sequences do not slow each other down.
    """
    points = [(math.log(n_open), math.log(pace)) for n_open, pace in paces]
    centre = sum(x for x, _ in points) / len(points)
    height = sum(y for _, y in points) / len(points)
    squares = sum((x - centre) ** 2 for x, _ in points)
    products = sum((x - centre) * (y - height) for x, y in points)
    weight = 1 / _SLOPE_SPREAD**2 + squares / _PACE_NOISE**2
    return (_SLOPE / _SLOPE_SPREAD**2 + products / _PACE_NOISE**2) / weight, 1 / math.sqrt(weight)
