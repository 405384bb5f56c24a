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
from generators.search.priors import BASE_RATES, KEPT, ByLength, Priors, moved_rates

Floats = NDArray[np.float64]
UPDATES = 30  # few enough to keep the weights smooth: more would take chance for a peak
CLOSINGS = (0.005, 0.1, 1.0)
SHAPES = ((0.0, 1.0), *((rise, closing) for rise in (0.3, 0.6, 1.0) for closing in CLOSINGS))  # rise and closing
EVENS = (0.02, 0.5, 0.98)  # told together with shapes, since both say where first errors are
FINER_EVENS = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
SPREADS = (10.0, 30.0, 100.0, 700.0)
LEANS = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)  # of base rates by length: log odds per standard deviation of it
_UNTOLD = 2.0  # nats of evidence by which data do not tell two spreads, or a lean and none, apart: the simpler is taken
# Without it, a pilot in which nothing recovers may look like one whose wrong prefixes are worth as much as right ones.
_PSEUDO_SOLUTIONS = 1.0  # the weight of the recovery rates from before the pilot


@dataclass(frozen=True, slots=True)
class PilotSolution:
    """A solution of the pilot: the counts of its steps up to a refuted one, the number of all its steps, and the
    attempts at its problem.
    """

    counts: tuple[StepCounts, ...]
    n_steps: int
    n_right: int
    n_attempts: int

    def belief(self, priors: Priors) -> Belief:
        """The posterior given the counts, under `priors`."""
        return Belief.of(
            self.counts, n_right=self.n_right, n_attempts=self.n_attempts, priors=priors, whole=self.n_steps
        )


@dataclass(frozen=True, slots=True)
class Attempted:
    """The attempts at one problem, and the mean number of steps of its solutions, if that is known."""

    n_right: int
    n_attempts: int
    n_steps: float | None = None


def fit_base(tried: Sequence[Attempted], start: Priors | None = None) -> Priors:
    """`start` with base rates fitted by EM to the attempts at every problem, and how they go with length."""
    start = start or Priors()
    attempted = [problem for problem in tried if problem.n_attempts]
    if not attempted:
        return start
    n_right, n = (np.array([[getattr(problem, name)] for problem in attempted]) for name in ("n_right", "n_attempts"))
    base, evidence = _base(n_right, n, np.zeros_like(n))
    return replace(start, base=base, by_length=_by_length(attempted, n_right, n, evidence))


def _by_length(attempted: Sequence[Attempted], n_right: Floats, n: Floats, evidence: float) -> ByLength | None:
    """The likeliest lean of base rates by length; None if it is no likelier than none, whose evidence is given."""
    known = [problem.n_steps for problem in attempted if problem.n_steps is not None]
    if not known or min(known) == max(known):
        return None
    length, deviation = float(np.mean(known)), float(np.std(known))
    further = np.array([[(problem.n_steps or length) - length] for problem in attempted])
    slopes = [sign * lean / deviation for lean in LEANS for sign in (-1, 1)]
    fitted = [(slope, *_base(n_right, n, slope * further)) for slope in slopes]
    slope, base, best = max(fitted, key=lambda found: found[2])
    return ByLength(base=base, length=length, slope=slope) if best > evidence + _UNTOLD else None


def _base(n_right: Floats, n: Floats, by: Floats) -> tuple[tuple[float, ...], float]:
    """Weights of base rates whose log odds are moved `by` so much in each problem, and their log-evidence."""
    rates = moved_rates(by)
    logs = n_right * np.log(rates) + (n - n_right) * np.log1p(-rates)
    weights = _weights(logs, np.full(len(BASE_RATES), 1 / len(BASE_RATES)), pseudo=0.0)
    return weights, float(np.logaddexp.reduce(logs + np.log(weights), axis=1).sum())


def fit_pilot(pilot: Sequence[PilotSolution], start: Priors) -> Priors:
    """`start` with everything else fitted to a pilot: one property after the other by its evidence.

    Each candidate comes with the recovery rates that fit it best.
    """
    if not pilot:
        return start
    priors = replace(start, trust=max(SPREADS))
    shapes = [replace(priors, rise=rise, closing=closing) for rise, closing in SHAPES]
    priors = _likeliest([fitted for shape in shapes for fitted in _fitted(pilot, shape, EVENS)])
    counted = [replace(priors, by_step=by_step) for by_step in (False, True)]
    priors = _likeliest([fitted for candidate in counted for fitted in _fitted(pilot, candidate, [candidate.even])])
    priors = _likeliest(_fitted(pilot, priors, FINER_EVENS))
    alike = [replace(priors, spread=spread) for spread in SPREADS]
    spreads = [fitted for candidate in alike for fitted in _fitted(pilot, candidate, [candidate.even])]
    most = max(evidence for evidence, _ in spreads)
    priors = [fitted for evidence, fitted in spreads if evidence >= most - _UNTOLD][-1]
    return replace(priors, trust=start.trust)


def _fitted(pilot: Sequence[PilotSolution], candidate: Priors, evens: Sequence[float]) -> list[tuple[float, Priors]]:
    """The candidate with each share `even` and the recovery rates that fit it best, and its log-evidence then."""
    fitted = []
    before = np.array(Priors().recovery)
    by_solution = np.array([seen.belief(candidate).log_recovery(evens) for seen in pilot])
    for even, logs in zip(evens, by_solution.transpose(1, 0, 2), strict=True):
        recovery = _weights(logs, before, pseudo=_PSEUDO_SOLUTIONS)
        evidence = float(np.logaddexp.reduce(logs + np.log(recovery), axis=1).sum())
        doubt = _PSEUDO_SOLUTIONS * float(before @ np.log(recovery))
        fitted.append((evidence + doubt, replace(candidate, even=even, recovery=recovery)))
    return fitted


def _likeliest(fitted: Sequence[tuple[float, Priors]]) -> Priors:
    return max(fitted, key=lambda found: found[0])[1]


def _weights(logs: Floats, before: Floats, *, pseudo: float) -> tuple[float, ...]:
    """Weights of rates by EM from log-likelihoods (observations x rates) and `pseudo` observations spread as `before`.

    They are mixed with even ones, so that nothing becomes impossible.
    """
    likelihoods = np.exp(logs - logs.max(1, keepdims=True))
    weights = before
    for _ in range(UPDATES):
        shares = likelihoods * weights
        seen = (shares / shares.sum(1, keepdims=True)).sum(0)
        weights = (seen + pseudo * before) / (len(logs) + pseudo)
    mixed = KEPT * weights + (1 - KEPT) / len(weights)
    return tuple(float(weight) for weight in mixed / mixed.sum())
