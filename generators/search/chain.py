"""The Markov chain behind a solution: a right prefix may go wrong, a wrong one may recover, any number of times.

The value of a prefix is the probability that the chain ends right. A clock (`clock`) runs from 1 before the first step
to 0 at the end. Over a part d of it the chain forgets its state by the factor exp(-speed * d), and a right state takes
its place with the probability `balance`. So a right prefix at time t is worth balance + (1 - balance) * exp(-speed *
t), a wrong one balance * (1 - exp(-speed * t)). The base rate is what the empty prefix is worth. The recovery rate is
speed * balance, the intensity at which wrong turns right, or by step (`Priors.by_step`) how often a wrong prefix
recovers in `STEPS` steps of equal length. Both together give speed and balance. Without recovery, a right prefix is
worth base ** t and a wrong one nothing.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from generators.search.priors import BASE_RATES, RECOVERY_RATES, STEPS, Priors

Floats = NDArray[np.float64]
_BISECTIONS = 60
_FASTEST = 600.0  # a chain at this speed forgets its state at once


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain over the steps of a solution, for cells of a base rate and a recovery rate each.

    `right` and `wrong` (steps - 1 x cells) are the values after each step but the last. `breaks` and `mends` (steps x
    cells) are the probabilities that a right prefix goes wrong and a wrong one recovers in a step. `decided` (steps x
    cells) is the probability that a step is the first wrong one where the steps decide, `anywhere` (cells) where the
    first error may be in any step; `first` is their mixture, and `none` (cells) says that no step is wrong.
    """

    right: Floats
    wrong: Floats
    breaks: Floats
    mends: Floats
    decided: Floats
    anywhere: Floats
    first: Floats
    none: Floats

    @classmethod
    def of(cls, n_steps: int, priors: Priors, bases: NDArray[np.int64]) -> Self:
        """The chain of the cells `bases` (indexes of base rates) x all recovery rates, recovery rates fastest."""
        times = clock(n_steps, priors.rise, priors.closing)
        speed, balance = (table[bases].ravel() for table in _speeds(n_steps if priors.by_step else None))
        forgotten = -np.expm1(-speed * (times[:-1] - times[1:])[:, None])
        breaks, mends = (1 - balance) * forgotten, balance * forgotten
        still_right = np.cumprod(1 - breaks, axis=0)
        before = np.vstack((np.ones(len(speed)), still_right[:-1]))
        decided = before * breaks
        anywhere = np.repeat((1 - np.array(BASE_RATES)[bases]) / n_steps, len(RECOVERY_RATES))
        first = (1 - priors.even) * decided + priors.even * anywhere
        right, wrong = _values(times[1:-1], speed, balance)
        return cls(right, wrong, breaks, mends, decided, anywhere, first, 1 - first.sum(0))


def clock(n_steps: int, rise: float, closing: float) -> Floats:
    """The time before the first step (1) and at the end of each step; the last ends at 0.

    Every step takes the same time, but the last one `closing` times as much: an answer that only repeats the last
    total takes hardly any. The powers `rise` of these times let the chain run faster towards the end: with a `rise` of
    0 the whole of it passes in the last step.
    """
    left = (n_steps - 1 + closing - np.arange(n_steps)) / (n_steps - 1 + closing)
    return np.asarray(np.append(left**rise, 0.0))


def values_at(time: float) -> tuple[Floats, Floats]:
    """The value of a right and of a wrong prefix at a time of the clock (base rates x recovery rates)."""
    speed, balance = _speeds(None)
    right, wrong = _values(np.array([time]), speed.ravel(), balance.ravel())
    return right.reshape(speed.shape), wrong.reshape(speed.shape)


def _values(times: Floats, speed: Floats, balance: Floats) -> tuple[Floats, Floats]:
    kept = np.exp(-speed * times[:, None])
    return balance + (1 - balance) * kept, balance * (1 - kept)


@lru_cache(maxsize=128)
def _speeds(n_steps: int | None) -> tuple[Floats, Floats]:
    """Speed and balance of each base rate and recovery rate, by bisection: the base rate falls with the speed.

    With `n_steps`, recovery rates count by step. A base rate below what a step recovers is taken to be that much.
    """
    base, recovery = np.array(BASE_RATES)[:, None], np.array(RECOVERY_RATES)[None, :]
    n = n_steps or 1
    by_step = recovery / STEPS if n_steps else recovery
    slowest = -n * np.log1p(-by_step) if n_steps else recovery
    low = np.broadcast_to(slowest, (len(BASE_RATES), len(RECOVERY_RATES))).copy()
    high = np.full_like(low, _FASTEST * n)

    def balance(speed: Floats) -> Floats:
        return np.asarray(by_step / (-np.expm1(-speed / n) if n_steps else speed))

    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        share = balance(middle)
        too_slow = share + (1 - share) * np.exp(-middle) > base
        low, high = np.where(too_slow, middle, low), np.where(too_slow, high, middle)
    return high, balance(high)
