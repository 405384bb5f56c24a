"""Fit the priors of a round to its own data: empirical Bayes over the attempts and a pilot of solutions.

Base rates come from the attempts of all problems. Recovery rates and the shape of solutions come from the pilot, the
first solutions searched. The result depends on the order of the data only through rounding. It is frozen before the
other solutions are searched, so no solution's decisions depend on another outside the pilot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from generators.records import StepCounts
from generators.search.belief import Belief
from generators.search.priors import BASE_RATES, Priors

Floats = NDArray[np.float64]
ROUNDS = 2
UPDATES = 30  # few enough to keep the weights smooth
CLOSINGS = (0.05, 0.3, 1.0)
SHAPES = ((0.0, 1.0), *((rise, closing) for rise in (0.3, 0.6, 1.0) for closing in CLOSINGS))  # rise and closing
EVENS = (0.02, 0.2, 0.5, 0.8, 0.98)
SPREADS = (10.0, 30.0, 100.0, 300.0, 1000.0)
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
    return replace(start, base=_weights(logs, np.full(len(rates), 1 / len(rates))))


def fit_pilot(pilot: Sequence[PilotSolution], start: Priors) -> Priors:
    """`start` with everything else fitted to a pilot: alternately each shape by its evidence, and the weights."""
    if not pilot:
        return start
    priors = replace(start, trust=max(SPREADS))
    for _ in range(ROUNDS):
        shapes = [replace(priors, rise=rise, closing=closing) for rise, closing in SHAPES]
        priors = _likeliest(pilot, shapes)
        priors = _likeliest(pilot, [replace(priors, even=even) for even in EVENS])
        priors = _likeliest(pilot, [replace(priors, spread=spread) for spread in SPREADS])
        logs = np.array([seen.belief(priors).log_recovery for seen in pilot])
        priors = replace(priors, recovery=_weights(logs, np.array(priors.recovery)))
    return replace(priors, trust=start.trust)


def _likeliest(pilot: Sequence[PilotSolution], candidates: Sequence[Priors]) -> Priors:
    return max(candidates, key=lambda priors: sum(seen.belief(priors).log_evidence for seen in pilot))


def _weights(logs: Floats, start: Floats) -> tuple[float, ...]:
    """Weights of rates by EM from log-likelihoods (observations x rates), mixed with even ones."""
    likelihoods = np.exp(logs - logs.max(1, keepdims=True))
    weights = start
    for _ in range(UPDATES):
        shares = likelihoods * weights
        weights = (shares / shares.sum(1, keepdims=True)).mean(0)
    mixed = _KEPT * weights + (1 - _KEPT) / len(weights)
    return tuple(float(weight) for weight in mixed / mixed.sum())
