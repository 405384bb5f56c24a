"""How much a token's log ratio says: the temperature of the weights, fitted to solutions that the models never saw.

The log ratio of a token is its log-probability under the positive model less that under the negative one. By Bayes'
rule, 1 / (1 + exp(ratio)) is the probability that the token stands in a wrong solution, where right and wrong are as
likely before it and both models are exact. They are not: each learnt from few solutions, and out of sample they differ
by noise too. Divided by a temperature, the ratio claims what it is worth (Guo et al., arXiv 1706.04599, section 4).

The paper's weight is 1 less the score (arXiv 2411.19943, section 3.2). A score is normalised over the vocabulary, so
this weight is near 0 wherever the policy is sure of its token, whatever the contrast says. No temperature of that
softmax mends it: one above 1 moves the mass to the tens of thousands of tokens that nobody would write.
"""

from collections.abc import Callable
from math import tanh

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
VERSION = "1"  # bump when a change here would change the weights
MOST_TEMPERATURE = 100.0
_HALVINGS = 40
_DIGITS = 4


def wrong_probability(log_ratio: float, temperature: float) -> float:
    """The probability that a token stands in a wrong solution, at even odds; 0.5 where the ratio is 0."""
    return (1 - tanh(log_ratio / temperature / 2)) / 2


def fitted_temperature(right: Floats, wrong: Floats) -> float:
    """The temperature from 1 to `MOST_TEMPERATURE` under which the tokens' solutions are most likely right and wrong.

    `right` and `wrong` are the log ratios of tokens in held-out solutions of either kind; both kinds weigh the same. It
    is never below 1, which would be surer than the models are. Where the ratios do not tell the kinds apart, it is
    `MOST_TEMPERATURE`, under which nearly every weight is 0.5. Raises ValueError if either kind has no token.
    """
    if not len(right) or not len(wrong):
        raise ValueError(f"right and wrong must hold at least one log ratio each, got {len(right)} and {len(wrong)}")

    def slope(sharpness: float) -> float:
        """How the mean log-likelihood changes with the inverse temperature; it is concave."""
        of_right = right * _sigmoid(-sharpness * right)
        return float(of_right.mean() - (wrong * _sigmoid(sharpness * wrong)).mean())

    return round(1 / _root(slope, 1 / MOST_TEMPERATURE, 1.0), _DIGITS)


def _root(falling: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function is 0, or the bound that is nearer to it."""
    if falling(low) <= 0:
        return low
    if falling(high) >= 0:
        return high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return low


def _sigmoid(values: Floats) -> Floats:
    return (1 + np.tanh(values / 2)) / 2
