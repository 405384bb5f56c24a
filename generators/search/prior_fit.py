"""Fit the priors of a round to its own data: empirical Bayes over the attempts and a pilot of solutions.

Base rates come from the attempts of all problems. Recovery rates, the shape of values and how often a solution recovers
come from the pilot, the first solutions searched. The result depends on the order of the data only through rounding. It
is frozen before the other solutions are searched, so no solution's decisions depend on another outside the pilot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from generators.records import StepCounts
from generators.search.belief import Belief
from generators.search.priors import BASE_RATES, Priors

ROUNDS = 3
UPDATES = 12
BASE_UPDATES = 30  # few enough to keep the weights smooth
RISES = (0.0, 0.3, 0.6, 1.0)
FADES = (0.0, 0.5, 1.0)
SPREADS = (10.0, 30.0, 100.0, 300.0, 1000.0)
LEAST_MENDED = 0.1  # a solution with a right answer is always examined: its steps may still be wrong
_PSEUDO_SOLUTIONS = 10.0
_NEGLIGIBLE = 0.005  # below this, the patterns with a recovery are left out: they cost most of the time
_KEPT = 0.99  # share of the fitted weights; the rest is spread evenly, so that nothing becomes impossible


@dataclass(frozen=True, slots=True)
class PilotSolution:
    """A solution of the pilot: the counts of its steps, and the attempts at its problem."""

    counts: tuple[StepCounts, ...]
    n_right: int
    n_attempts: int

    def belief(self, priors: Priors) -> Belief:
        """The posterior given the counts, under `priors`."""
        return Belief.of(self.counts, n_right=self.n_right, n_attempts=self.n_attempts, priors=priors)


def fit_base(attempts: Sequence[tuple[int, int]], start: Priors | None = None) -> Priors:
    """`start` with base rates fitted by EM to the (right, all) attempts of every problem."""
    start = start or Priors()
    attempted = np.array([(n_right, n) for n_right, n in attempts if n], dtype=np.float64).reshape(-1, 2)
    if not len(attempted):
        return start
    rates = np.array(BASE_RATES)
    logs = attempted[:, :1] * np.log(rates) + (attempted[:, 1:] - attempted[:, :1]) * np.log1p(-rates)
    likelihoods = np.exp(logs - logs.max(1, keepdims=True))
    weights = np.full(len(rates), 1 / len(rates))
    for _ in range(BASE_UPDATES):
        shares = likelihoods * weights
        weights = (shares / shares.sum(1, keepdims=True)).mean(0)
    return replace(start, base=_smoothed(weights))


def fit_pilot(pilot: Sequence[PilotSolution], start: Priors) -> Priors:
    """`start` with everything else fitted to a pilot: alternately each shape by its evidence, and the weights."""
    if not pilot:
        return start
    priors = replace(start, trust=max(SPREADS))
    for _ in range(ROUNDS):
        priors = _likeliest(pilot, [replace(priors, rise=rise) for rise in RISES])
        priors = _likeliest(pilot, [replace(priors, fade=fade) for fade in FADES])
        priors = _likeliest(pilot, [replace(priors, spread=spread) for spread in SPREADS])
        for _ in range(UPDATES):
            priors = _updated(pilot, priors, start)
    return replace(priors, trust=start.trust)


def _likeliest(pilot: Sequence[PilotSolution], candidates: Sequence[Priors]) -> Priors:
    return max(candidates, key=lambda priors: sum(seen.belief(priors).log_evidence for seen in pilot))


def _updated(pilot: Sequence[PilotSolution], priors: Priors, start: Priors) -> Priors:
    beliefs = [seen.belief(priors) for seen in pilot]
    recovered: dict[bool, list[float]] = {True: [], False: []}
    for seen, belief in zip(pilot, beliefs, strict=True):
        recovered[bool(seen.counts[-1].n_correct)].append(belief.recovered)
    weights = np.mean([belief.recovery_weights for belief in beliefs], axis=0)
    return replace(
        priors,
        recovery=_smoothed(weights),
        relapse=_relapse(recovered[False], start.relapse),
        mended=max(LEAST_MENDED, _share(recovered[True], start.mended)),
    )


def _share(probabilities: Sequence[float], prior: float) -> float:
    """The mean of `probabilities`, shrunk towards `prior` by a few pseudo-solutions."""
    return (sum(probabilities) + _PSEUDO_SOLUTIONS * prior) / (len(probabilities) + _PSEUDO_SOLUTIONS)


def _relapse(probabilities: Sequence[float], prior: float) -> float:
    share = _share(probabilities, prior)
    return share if share >= _NEGLIGIBLE else 0.0


def _smoothed(weights: NDArray[np.float64]) -> tuple[float, ...]:
    mixed = _KEPT * weights / weights.sum() + (1 - _KEPT) / len(weights)
    return tuple(float(weight) for weight in mixed / mixed.sum())
