"""The mean curves of many problems, and the law exp(a k^b) fitted to their coverage (arXiv 2407.21787).

The law describes coverage where pass rates reach down to 0 smoothly. Where some problems are never solved it promises
what does not come, so it is fitted on small k and held against the largest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import linear_regression

import polars as pl

from generators.coverage.curves import BY_K, sizes_up_to

MOST_MISS = 0.02
PLUG_IN = "plug_in_pass_at_k"
READ = ("n_decided", "n_right", *BY_K)
_REACH = 8  # the largest k is so many times the largest fitted one, where three smaller ones remain
_LEAST_FITTED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanCurves:
    """The means over problems at each k, by name, and how many problems they are over.

    `plug_in_pass_at_k` is 1 - (1 - p)^k with the measured pass rate p. It is too low, and is shown for comparison.
    """

    sizes: tuple[int, ...]
    means: Mapping[str, tuple[float, ...]]
    n_problems: int


def mean_curves(rows: pl.DataFrame) -> MeanCurves:
    """The means up to the largest k that at least half of the problems reach, over those that reach it."""
    median = rows["n_decided"].quantile(0.5, "lower") or 0
    sizes = sizes_up_to(int(median))
    reached = rows.filter(pl.col("n_decided") >= max(sizes, default=1))
    columns = {name: [pl.col(name).list.get(place) for place in range(len(sizes))] for name in BY_K}
    rate = pl.col("n_right") / pl.col("n_decided")
    columns[PLUG_IN] = [1 - (1 - rate) ** k for k in sizes]
    means = {name: tuple(reached.select(value.mean()).item() for value in values) for name, values in columns.items()}
    return MeanCurves(sizes=tuple(sizes), means=means, n_problems=reached.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveFit:
    """exp(a k^b), fitted on k up to `fitted_up_to`, and the coverage that it predicts and that was measured at k."""

    a: float
    b: float
    fitted_up_to: int
    k: int
    predicted: float
    measured: float

    @property
    def miss(self) -> float:
        """The predicted coverage less the measured one."""
        return self.predicted - self.measured

    @property
    def verdict(self) -> str:
        """`extrapolates` while the miss is at most `MOST_MISS`, else `does not extrapolate`."""
        return "extrapolates" if abs(self.miss) <= MOST_MISS else "does not extrapolate"

    @property
    def sentence(self) -> str:
        """The law, what it predicts, what was measured, and the verdict."""
        return (
            f"exp({self.a:.3g} k^{self.b:.3g}), fitted on k up to {self.fitted_up_to}, predicts {self.predicted:.3f} "
            f"at k = {self.k}, measured is {self.measured:.3f}: the curve {self.verdict}"
        )


def fit(sizes: Sequence[int], coverage: Sequence[float]) -> CurveFit | None:
    """Least squares of log(-log c) on log k over the small k; None where under three of these have 0 < c < 1."""
    if not sizes:
        return None
    most = max(sizes[-1] // _REACH, sizes[min(_LEAST_FITTED, len(sizes)) - 1])
    fitted = [(log(k), log(-log(c))) for k, c in zip(sizes, coverage, strict=True) if k <= most and 0 < c < 1]
    if len(fitted) < _LEAST_FITTED or most == sizes[-1]:
        return None
    b, intercept = linear_regression(*zip(*fitted, strict=True))
    a = -exp(intercept)
    predicted = exp(a * sizes[-1] ** b)
    return CurveFit(a=a, b=b, fitted_up_to=most, k=sizes[-1], predicted=predicted, measured=coverage[-1])
