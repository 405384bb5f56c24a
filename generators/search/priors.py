"""The priors of a round: how often right and wrong prefixes end right, before any solution is examined.

The value of a prefix that ends with step i of n comes from a family: p ** (left ** rise) if it is right,
r * left ** fade if it is wrong. `left` is the share of steps still to come, p the problem's base rate and r the
solution's recovery rate. With `rise` 0 the value of a right prefix stays the base rate; with 1 every step is equally
likely to go wrong.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
BASE_RATES = tuple(round(0.0125 + 0.025 * cell, 4) for cell in range(40))
RECOVERY_RATES = (0.0005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.14, 0.2, 0.3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Priors:
    """Weights over base rates (`BASE_RATES`) and recovery rates (`RECOVERY_RATES`), and the shape of values.

    `spread` says how alike the prefixes of one solution are: each prefix has its own value, drawn from a beta
    distribution around the family's value with that many pseudo-rollouts. Decisions never rely on more of them than
    `trust`, however alike the prefixes of a pilot looked: otherwise slightly wrong priors would decide where rollouts
    say little. `relapse` is the probability that a solution with a wrong answer had recovered from an earlier error,
    `mended` that a solution with a right answer went wrong on the way.
    """

    base: tuple[float, ...] = (1 / len(BASE_RATES),) * len(BASE_RATES)
    recovery: tuple[float, ...] = (1 / len(RECOVERY_RATES),) * len(RECOVERY_RATES)
    rise: float = 0.5
    fade: float = 0.5
    spread: float = 100.0
    trust: float = 100.0
    relapse: float = 0.02
    mended: float = 0.1

    def __post_init__(self) -> None:
        for name, values in (("base", BASE_RATES), ("recovery", RECOVERY_RATES)):
            weights = getattr(self, name)
            object.__setattr__(self, name, tuple(float(weight) for weight in weights))
            if len(weights) != len(values):
                raise ValueError(f"{name} must have {len(values)} weights, got {len(weights)}")
            if min(weights) < 0 or not 0.999 < sum(weights) < 1.001:
                raise ValueError(f"{name} must hold weights of at least 0 that add up to 1, got {weights}")
        for name in ("rise", "fade"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        for name in ("spread", "trust"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        for name in ("relapse", "mended"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, got {getattr(self, name)}")

    def to_json(self) -> dict[str, Any]:
        """The priors as JSON values; `Priors(**values)` restores them."""
        return asdict(self)


@lru_cache(maxsize=256)
def right_values(n_steps: int, rise: float) -> Floats:
    """The value of a right prefix up to each step except the last, for each base rate (steps - 1 x base rates)."""
    return np.array(BASE_RATES, np.float32) ** (_left(n_steps)[:, None] ** np.float32(rise))


@lru_cache(maxsize=256)
def wrong_values(n_steps: int, fade: float) -> Floats:
    """The value of a wrong prefix up to each step except the last, for each recovery rate (steps - 1 x rates)."""
    return np.array(RECOVERY_RATES, np.float32) * _left(n_steps)[:, None] ** np.float32(fade)


def likelihood(rates: Sequence[float], n_right: int, n: int) -> NDArray[np.float64]:
    """The likelihood of `n_right` of `n` for each rate, scaled so that the highest is 1."""
    values = np.array(rates, dtype=np.float64)
    logs = n_right * np.log(values) + (n - n_right) * np.log1p(-values)
    return np.asarray(np.exp(logs - logs.max()))


def _left(n_steps: int) -> Floats:
    return np.float32(1) - np.arange(1, n_steps, dtype=np.float32) / np.float32(n_steps)
