"""What rollouts from its prefixes say about one solution: its first error, and the value of every step.

It is a joint posterior over the pattern of right and wrong prefixes, the problem's base rate and the solution's
recovery rate. Given the pattern the two rates are independent, so two small matrices hold it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generators.records import NO_ERROR, StepCounts, StepValues
from generators.search.patterns import Patterns, patterns
from generators.search.priors import BASE_RATES, Priors, right_values, wrong_values

Floats = NDArray[np.float64]
INTERVAL = 0.95
_CELLS = 256
_MIDDLES = (np.arange(_CELLS) + 0.5) / _CELLS
_TINY = 1e-9


class Belief:
    """The posterior over one solution of `n_steps` steps; `n_right` of `n_attempts` at its problem ended right.

    `ends_right` is the solution's own outcome. The solution was selected by it, so it restricts the patterns and does
    not count as a rollout. `counts` are the right and wrong rollouts from the end of each step; `log_evidence` is their
    log-probability under the priors.
    """

    def __init__(self, n_steps: int, *, ends_right: bool, n_right: int, n_attempts: int, priors: Priors) -> None:
        if n_steps < 1:
            raise ValueError(f"n_steps must be at least 1, got {n_steps}")
        if not 0 <= n_right <= n_attempts:
            raise ValueError(f"n_right must be from 0 to n_attempts ({n_attempts}), got {n_right}")
        self.n_steps = n_steps
        self._ends_right = ends_right
        recovering = priors.mended if ends_right else priors.relapse
        self._patterns = patterns(n_steps, ends_right=ends_right, with_recovery=recovering > 0)
        self._log_patterns = _log_weights(self._patterns, recovering)
        self._log_base = _log_base(priors, n_right, n_attempts)
        self._log_recovery = np.log(np.array(priors.recovery) + _TINY)
        self._right = _Emissions(right_values(n_steps, priors.rise), priors)
        self._wrong = _Emissions(wrong_values(n_steps, priors.fade), priors)
        self.counts = [[0, 0] for _ in range(n_steps - 1)]
        self._solve()

    @classmethod
    def of(cls, counts: Sequence[StepCounts], *, n_right: int, n_attempts: int, priors: Priors) -> "Belief":
        """The posterior given all counts at once; the last step's count is the solution's own outcome."""
        ends_right = bool(counts[-1].n_correct)
        belief = cls(len(counts), ends_right=ends_right, n_right=n_right, n_attempts=n_attempts, priors=priors)
        right_and_wrong = [[step.n_correct, step.n_rollouts - step.n_correct] for step in counts[:-1]]
        belief.counts = right_and_wrong
        belief._right.set_counts(right_and_wrong)
        belief._wrong.set_counts(right_and_wrong)
        belief._solve()
        return belief

    def add(self, step: int, ended_right: bool) -> None:
        """Take one more rollout from the end of `step` into account."""
        self._count(step, ended_right)
        self._solve()

    @property
    def first_error(self) -> int:
        """The most probable first wrong step; -1 if a solution without error is most probable."""
        return int(self._patterns.first_errors[self._errors.argmax()])

    @property
    def confidence(self) -> float:
        """The probability of `first_error`."""
        return float(self._errors.max())

    @property
    def unknown(self) -> float:
        """The entropy of the first error, in nats."""
        positive = self._errors[self._errors > 0]
        return float(-(positive * np.log(positive)).sum())

    @property
    def sound(self) -> tuple[float, ...]:
        """For each step, the probability that nothing up to its end is wrong."""
        by_step = np.zeros(self.n_steps)
        is_error = self._patterns.first_errors != NO_ERROR
        by_step[self._patterns.first_errors[is_error]] = self._errors[is_error]
        return tuple(float(share) for share in np.clip(1 - by_step.cumsum(), 0, 1))

    def most_informative(self) -> tuple[int, float]:
        """The step from whose end one more rollout is most informative about the first error, and its gain in nats."""
        right, wrong = self._right, self._wrong
        expected_right = right.expected(self._base_weights)
        expected_wrong = wrong.expected(self._recovery_weights)
        joint = self._posterior[:, None] * self._patterns.right
        is_right = np.add.reduceat(joint, self._patterns.starts, axis=0) / (self._errors[:, None] + 1e-30)
        outcomes = is_right * expected_right + (1 - is_right) * expected_wrong
        gains = _entropy(self._errors @ outcomes) - self._errors @ _entropy(outcomes)
        best = int(gains.argmax())
        return best, float(gains[best])

    def values(self) -> StepValues:
        """The value of each step with its equal-tailed interval, marginal over its state and its own value.

        The last step's value is its outcome.
        """
        own = float(self._ends_right)
        if self.n_steps == 1:
            return StepValues((own,), (own,), (own,))
        by_right = (self._posterior[:, None] * self._patterns.right).T @ self._given_base
        by_wrong = (self._posterior[:, None] * self._patterns.wrong).T @ self._given_recovery
        density = self._right.density(by_right) + self._wrong.density(by_wrong)
        density /= density.sum(1, keepdims=True)
        below = density.cumsum(1)
        tail = (1 - INTERVAL) / 2
        low = [float(np.searchsorted(row, tail)) / _CELLS for row in below]
        high = [(float(np.searchsorted(row, 1 - tail)) + 1) / _CELLS for row in below]
        mean = [float(share) for share in density @ _MIDDLES]
        return StepValues((*mean, own), (*low, own), (*(min(1.0, bound) for bound in high), own))

    @property
    def base_weights(self) -> Floats:
        """The posterior over `BASE_RATES`."""
        return self._base_weights

    @property
    def recovery_weights(self) -> Floats:
        """The posterior over `RECOVERY_RATES`."""
        return self._recovery_weights

    @property
    def recovered(self) -> float:
        """The probability that the solution had gone wrong and recovered."""
        return float(self._posterior[self._patterns.recovers].sum())

    def _count(self, step: int, ended_right: bool) -> None:
        n_right, n_wrong = self.counts[step]
        self._right.add(step, n_right, n_wrong, ended_right)
        self._wrong.add(step, n_right, n_wrong, ended_right)
        self.counts[step][0 if ended_right else 1] += 1

    def _solve(self) -> None:
        base, given_base = _marginal(self._patterns.right @ self._right.logs + self._log_base)
        recovery, given_recovery = _marginal(self._patterns.wrong @ self._wrong.logs + self._log_recovery)
        logs = self._log_patterns + base + recovery
        most = float(logs.max())
        weights = np.exp(logs - most)
        total = float(weights.sum())
        self.log_evidence = most + float(np.log(total))
        self._posterior = weights / total
        self._given_base, self._given_recovery = given_base, given_recovery
        self._errors: Floats = np.add.reduceat(self._posterior, self._patterns.starts)
        self._base_weights: Floats = self._posterior @ given_base
        self._recovery_weights: Floats = self._posterior @ given_recovery


class _Emissions:
    """Log-probabilities of each step's counts for each rate; beta-binomial around the family's values."""

    def __init__(self, values: NDArray[np.float32], priors: Priors) -> None:
        self._values = values.astype(np.float64)
        self._spread = min(priors.spread, priors.trust)
        self._own_spread = priors.spread
        self._seen_right = np.zeros_like(self._values)
        self._seen_wrong = np.zeros_like(self._values)
        self._norm = np.zeros((len(values), 1))
        self._counts = np.zeros((len(values), 2))
        self.logs = np.zeros_like(self._values)

    def add(self, step: int, n_right: int, n_wrong: int, ended_right: bool) -> None:
        """Add one outcome after `n_right` and `n_wrong` others; separate sums make the order of outcomes irrelevant."""
        if ended_right:
            self._seen_right[step] += np.log(self._spread * self._values[step] + n_right)
        else:
            self._seen_wrong[step] += np.log(self._spread * (1 - self._values[step]) + n_wrong)
        self._norm[step] += np.log(self._spread + n_right + n_wrong)
        self._counts[step, 0 if ended_right else 1] += 1
        self.logs[step] = self._seen_right[step] + self._seen_wrong[step] - self._norm[step]

    def set_counts(self, counts: Sequence[Sequence[int]]) -> None:
        """Set the outcomes of all steps at once."""
        self._counts = np.array(counts, dtype=np.float64).reshape(len(self._values), 2)
        self._seen_right = _rising(self._spread * self._values, self._counts[:, 0])
        self._seen_wrong = _rising(self._spread * (1 - self._values), self._counts[:, 1])
        self._norm = _rising(np.full((len(self._values), 1), self._spread), self._counts.sum(1))
        self.logs = self._seen_right + self._seen_wrong - self._norm

    def expected(self, weights: Floats) -> Floats:
        """The probability that the next rollout from each step ends right, under weights over the rates."""
        counts = self._counts
        family: Floats = self._values @ weights
        expected: Floats = (self._spread * family + counts[:, 0]) / (self._spread + counts.sum(1))
        return expected

    def density(self, weights: Floats) -> Floats:
        """The mixture density of the steps' own values over the cells of [0, 1], under weights (steps x rates)."""
        alpha = (self._own_spread * self._values + self._counts[:, :1])[:, :, None]
        beta = (self._own_spread * (1 - self._values) + self._counts[:, 1:])[:, :, None]
        logs = (alpha - 1) * np.log(_MIDDLES) + (beta - 1) * np.log1p(-_MIDDLES)
        shares = np.exp(logs - logs.max(2, keepdims=True))
        shares /= shares.sum(2, keepdims=True)
        mixed: Floats = np.einsum("sr,src->sc", weights, shares)
        return mixed


def _rising(start: Floats, n: Floats) -> Floats:
    """The log of start * (start + 1) * ... with `n` factors in each row."""
    factor = np.arange(int(n.max(initial=0)))
    logs = np.log(start[:, :, None] + factor)
    return np.asarray(np.where(factor < n[:, None, None], logs, 0.0).sum(2))


def _marginal(logs: Floats) -> tuple[Floats, Floats]:
    """For each pattern, the log-sum over the rates, and the weights of the rates given the pattern."""
    most = logs.max(1, keepdims=True)
    weights = np.exp(logs - most)
    total = weights.sum(1, keepdims=True)
    return (most + np.log(total))[:, 0], weights / total


def _log_weights(weighed: Patterns, recovering: float) -> Floats:
    """Log prior of each pattern; those with a recovery share `recovering`, the others share the rest."""
    n_recovering = int(weighed.recovers.sum())
    share = recovering if n_recovering else 0.0
    without_recovery = (1 - share) / (len(weighed.recovers) - n_recovering)
    return np.asarray(np.log(np.where(weighed.recovers, share / max(n_recovering, 1), without_recovery)))


def _log_base(priors: Priors, n_right: int, n_attempts: int) -> Floats:
    rates = np.array(BASE_RATES)
    logs = np.log(np.array(priors.base) + _TINY) + n_right * np.log(rates) + (n_attempts - n_right) * np.log1p(-rates)
    return np.asarray(logs - np.logaddexp.reduce(logs))


def _entropy(shares: Floats) -> Floats:
    clipped = np.clip(shares, _TINY, 1 - _TINY)
    return np.asarray(-(clipped * np.log(clipped) + (1 - clipped) * np.log1p(-clipped)))
