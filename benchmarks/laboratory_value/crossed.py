"""Intervals over seeds and problems, which are crossed: every seed's policy solves the same problems.

The model is value[seed, problem] = mean + seed + problem + rest, all random (Searle, Casella and McCulloch 1992,
section 4.5: two-way crossed, without replication). Its interval uses Student's t with Satterthwaite's degrees of
freedom. A bootstrap of five seeds would be too narrow: it sees only four fifths of their variance, and has no t.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import mpmath
import numpy as np

Values = Sequence[Sequence[float]]  # by seed and problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Standard deviations of the three random parts: between seeds, between problems, and the rest."""

    seeds: float
    problems: float
    rest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with its 95 % interval, and what it varies by."""

    mean: float
    low: float
    high: float
    spread: Spread

    @property
    def is_above_zero(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.low > 0


def interval(values: Values) -> Interval:
    """The interval of the mean of values by seed and problem; raises ValueError unless all seeds have as many."""
    table = _table(values)
    seeds, problems = table.shape
    mean = float(table.mean())
    ms_seeds, ms_problems, ms_rest = _mean_squares(table)
    if seeds == 1:  # nothing is known of the seeds: the interval holds for this one
        variance, freedom = ms_problems / problems, problems - 1.0
    else:
        variance, freedom = _variance((max(ms_seeds, ms_rest), max(ms_problems, ms_rest), ms_rest), seeds, problems)
    half = quantile(0.975, freedom) * sqrt(variance) if variance > 0 else 0.0
    between = sqrt(max(ms_seeds - ms_rest, 0) / problems) if seeds > 1 else 0.0
    return Interval(
        mean=mean,
        low=mean - half,
        high=mean + half,
        spread=Spread(seeds=between, problems=sqrt(max(ms_problems - ms_rest, 0) / seeds), rest=sqrt(ms_rest)),
    )


def difference(after: Values, before: Values) -> Interval:
    """The interval of the mean difference, taken seed by seed and problem by problem."""
    return interval(_table(after) - _table(before))


def smallest_gain(spread: Spread, *, seeds: int, problems: int, power: float = 0.8) -> float:
    """The smallest true gain whose interval lies above 0 with probability `power`; at least two seeds."""
    rest = spread.rest**2
    squares = (problems * spread.seeds**2 + rest, seeds * spread.problems**2 + rest, rest)
    variance, freedom = _variance(squares, seeds, problems)
    return (quantile(0.975, freedom) + quantile(power, freedom)) * sqrt(variance)


def _variance(squares: tuple[float, float, float], seeds: int, problems: int) -> tuple[float, float]:
    """The variance of the mean, from the mean squares of seeds, problems and the rest, and its degrees of freedom."""
    of_seeds, of_problems, of_rest = (square / (seeds * problems) for square in squares)
    variance = of_seeds + of_problems - of_rest
    each = (
        of_seeds**2 / (seeds - 1),
        of_problems**2 / (problems - 1),
        of_rest**2 / ((seeds - 1) * (problems - 1)),
    )
    return variance, variance**2 / max(sum(each), 1e-300)


@lru_cache(maxsize=256)
def quantile(share: float, freedom: float) -> float:
    """The quantile of Student's t for a share above one half."""
    if not 0.5 < share < 1:
        raise ValueError(f"share must be above 0.5 and below 1, got {share}")
    if freedom <= 0:
        raise ValueError(f"freedom must be above 0, got {freedom}")

    def above(t: float) -> float:
        return float(mpmath.betainc(freedom / 2, 0.5, 0, freedom / (freedom + t * t), regularized=True)) / 2

    low, high = 0.0, 1.0
    while above(high) > 1 - share:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if above(middle) > 1 - share else (low, middle)
    return (low + high) / 2


def _table(values: Values) -> np.ndarray:
    table = np.array(values, dtype=float)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"values must be a table of seeds and at least 2 problems, got shape {table.shape}")
    return table


def _mean_squares(table: np.ndarray) -> tuple[float, float, float]:
    """The mean squares of seeds, problems and the rest; with one seed the first and last are 0."""
    seeds, problems = table.shape
    mean, by_seed, by_problem = table.mean(), table.mean(axis=1), table.mean(axis=0)
    ms_problems = seeds * ((by_problem - mean) ** 2).sum() / (problems - 1)
    if seeds == 1:
        return 0.0, float(ms_problems), 0.0
    ms_seeds = problems * ((by_seed - mean) ** 2).sum() / (seeds - 1)
    rest = table - by_seed[:, None] - by_problem[None, :] + mean
    ms_rest = (rest**2).sum() / ((seeds - 1) * (problems - 1))
    return float(ms_seeds), float(ms_problems), float(ms_rest)
