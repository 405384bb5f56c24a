"""Whether a token is critical, from rollouts with it and without it: the posterior over the two values.

Critical means that the value with the token is below `never` and the value without it at least `least`. With even odds
a value is that of a lost prefix (the recovery rates of the labels' priors at this position) or another one. With the
token, the other one is the base rate at this position, given the attempts at the problem. Without it, it may be
anything, since the replacement need not be what the policy would have written. The two values are independent, so the
probability that the token is critical is a product.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generators.records import StepCounts
from generators.search.chain import values_at
from generators.search.priors import BASE_RATES, Priors, likelihood

Floats = NDArray[np.float64]
_LEAST_SHARE = 1e-12  # keeps the logarithm of an impossible rest finite


@dataclass(slots=True)
class Arm:
    """The posterior over one value on a grid, and its rollouts; the next one has the index `next_index`."""

    values: Floats
    weights: Floats
    n_right: int = 0
    n_wrong: int = 0
    next_index: int = 0

    def add(self, outcome: bool | None) -> None:
        """Add the outcome of one more rollout."""
        self.next_index += 1
        if outcome is not None:
            self.n_right, self.n_wrong = self.n_right + outcome, self.n_wrong + (not outcome)
            self.weights = self.after(outcome)

    def after(self, right: bool) -> Floats:
        """The weights after one more right or wrong rollout."""
        weights = self.weights * (self.values if right else 1 - self.values)
        return np.asarray(weights / weights.sum())

    @property
    def expected(self) -> float:
        """The probability that the next rollout ends right."""
        return float(self.weights @ self.values)

    @property
    def share(self) -> float | None:
        """The share of right rollouts; None without one."""
        decided = self.n_right + self.n_wrong
        return self.n_right / decided if decided else None


@dataclass(slots=True)
class TwoArms:
    """The values with and without one token."""

    with_token: Arm
    without_token: Arm
    never: float
    least: float

    @property
    def lost_with(self) -> float:
        """The probability that the value with the token is below `never`."""
        return self._lost(self.with_token.weights)

    @property
    def alive_without(self) -> float:
        """The probability that the value without the token is at least `least`."""
        return self._alive(self.without_token.weights)

    @property
    def critical(self) -> float:
        """The probability that the token is critical."""
        return self.lost_with * self.alive_without

    def most_informative(self) -> Arm:
        """The arm whose next rollout is expected to be more informative about whether the token is critical."""
        with_token, without = self.with_token, self.without_token
        if len(with_token.values) == 1:  # its value is known
            return without
        unknown_with = _unknown(with_token, lambda weights: self._lost(weights) * self.alive_without)
        unknown_without = _unknown(without, lambda weights: self.lost_with * self._alive(weights))
        return with_token if unknown_with <= unknown_without else without

    def _lost(self, weights: Floats) -> float:
        return float(weights[self.with_token.values < self.never].sum())

    def _alive(self, weights: Floats) -> float:
        return float(weights[self.without_token.values >= self.least].sum())


def two_arms(
    position: int, length: int, *, priors: Priors, attempts: StepCounts, never: float, least: float
) -> TwoArms:
    """The arms of token `position` of a wrong response of `length` tokens, before any rollout.

    Nothing comes after the last token: with it the solution is lost, by its own outcome.
    """
    left = 1 - (min(position, length - 2) + 1) / length
    right, lost = (values.ravel() for values in values_at(left**priors.rise))
    base = np.array(priors.base) * likelihood(BASE_RATES, attempts.n_correct, attempts.n_rollouts)
    expected = np.outer(base, priors.recovery).ravel().astype(np.float64)
    anything = np.full(len(BASE_RATES), 1 / len(BASE_RATES))
    if position == length - 1:
        with_token = Arm(np.zeros(1), np.ones(1), n_wrong=1)
    else:
        with_token = _mixed(lost, expected, right, expected)
    return TwoArms(with_token, _mixed(lost, expected, np.array(BASE_RATES), anything), never, least)


def _mixed(lost: Floats, lost_weights: Floats, other: Floats, other_weights: Floats) -> Arm:
    weights = np.concatenate((lost_weights / lost_weights.sum(), other_weights / other_weights.sum())) / 2
    return Arm(np.concatenate((lost, other)), weights)


def _unknown(arm: Arm, critical: Callable[[Floats], float]) -> float:
    """The entropy that is expected to remain after one more rollout of `arm`."""
    right = arm.expected
    remaining = 0.0
    for share, outcome in ((right, True), (1 - right, False)):
        if share > _LEAST_SHARE:
            remaining += share * _entropy(critical(arm.after(outcome)))
    return remaining


def _entropy(share: float) -> float:
    inside = min(max(share, _LEAST_SHARE), 1 - _LEAST_SHARE)
    return float(-(inside * np.log(inside) + (1 - inside) * np.log1p(-inside)))
