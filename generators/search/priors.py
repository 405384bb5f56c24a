"""The priors of a round: how often right and wrong prefixes end right, before any solution is examined.

Right and wrong are the states of the chain in `generators.search.chain`, which has a base rate and a recovery rate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

BASE_RATES = tuple(round(0.0125 + 0.025 * cell, 4) for cell in range(40))
STEPS = 10
RECOVERY_RATES = (0.001, 0.02, 0.032, 0.05, 0.08, 0.13, 0.2, 0.33, 0.53, 0.85, 1.4, 2.2, 3.5, 5.6)


KEPT = 0.99  # share of fitted weights; the rest is spread evenly, so that nothing becomes impossible


def _mostly_low() -> tuple[float, ...]:
    weights = [1 / (0.1 + rate) for rate in RECOVERY_RATES]
    return tuple(weight / sum(weights) for weight in weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByLength:
    """Base rates that go with the length of solutions: longer ones go wrong more often, or less.

    `base` weighs the base rates of solutions of `length` steps; with each step more, their log odds change by `slope`.
    """

    base: tuple[float, ...]
    length: float
    slope: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", _checked("by_length.base", self.base, len(BASE_RATES)))

    def base_of(self, n_steps: int) -> NDArray[np.float64]:
        """The weights over `BASE_RATES` of solutions of `n_steps` steps; none is impossible."""
        moved = np.array(self.base) @ moves(self.slope * (n_steps - self.length))
        return np.asarray(KEPT * moved + (1 - KEPT) / len(BASE_RATES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Priors:
    """Weights over base rates (`BASE_RATES`) and recovery rates (`RECOVERY_RATES`), and the shape of solutions.

    A base rate is the probability that a solution ends right; `by_length` says how it goes with the steps of a
    solution, if it does. A recovery rate is how many times a solution that stays wrong from its start to its end might
    have recovered, on average: one of any length, or `by_step` one of `STEPS` steps. Where it does not go by steps, it
    does not depend on how a solution is cut.
    `rise` and `closing` say which steps decide (`generators.search.chain.clock`). `even` is the share of solutions
    whose first error may be anywhere, whichever steps decide.

    `spread` says how alike the prefixes of one solution are: each prefix has its own value, drawn from a beta
    distribution around the chain's value with that many pseudo-rollouts. Decisions never rely on more of them than
    `trust`, however alike the prefixes of a pilot looked: otherwise slightly wrong priors would decide where rollouts
    say little.
    """

    base: tuple[float, ...] = (1 / len(BASE_RATES),) * len(BASE_RATES)
    recovery: tuple[float, ...] = _mostly_low()
    rise: float = 0.6
    closing: float = 0.3
    even: float = 0.3
    by_step: bool = False
    spread: float = 100.0
    trust: float = 100.0
    by_length: "ByLength | None" = None

    def __post_init__(self) -> None:
        if isinstance(self.by_length, Mapping):
            object.__setattr__(self, "by_length", ByLength(**self.by_length))
        for name, values in (("base", BASE_RATES), ("recovery", RECOVERY_RATES)):
            object.__setattr__(self, name, _checked(name, getattr(self, name), len(values)))
        if self.rise < 0:
            raise ValueError(f"rise must be at least 0, got {self.rise}")
        for name in ("closing", "spread", "trust"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        if not 0 <= self.even <= 1:
            raise ValueError(f"even must be from 0 to 1, got {self.even}")

    def base_of(self, n_steps: int) -> NDArray[np.float64]:
        """The weights over `BASE_RATES` of solutions of `n_steps` steps."""
        return np.array(self.base) if self.by_length is None else self.by_length.base_of(n_steps)

    def to_json(self) -> dict[str, Any]:
        """The priors as JSON values; `Priors(**values)` restores them."""
        return asdict(self)


def _checked(name: str, weights: Sequence[float], n: int) -> tuple[float, ...]:
    if len(weights) != n:
        raise ValueError(f"{name} must have {n} weights, got {len(weights)}")
    if min(weights) < 0 or not 0.999 < sum(weights) < 1.001:
        raise ValueError(f"{name} must hold weights of at least 0 that add up to 1, got {weights}")
    return tuple(float(weight) for weight in weights)


def likelihood(rates: Sequence[float], n_right: int, n: int) -> NDArray[np.float64]:
    """The likelihood of `n_right` of `n` for each rate, scaled so that the highest is 1."""
    values = np.array(rates, dtype=np.float64)
    logs = n_right * np.log(values) + (n - n_right) * np.log1p(-values)
    return np.asarray(np.exp(logs - logs.max()))


@lru_cache(maxsize=1024)
def moves(by: float) -> NDArray[np.float64]:
    """Where each base rate goes if its log odds change by `by` (rates x rates): to the two nearest ones."""
    places = np.interp(moved_rates(by), BASE_RATES, np.arange(len(BASE_RATES)))
    return np.asarray(np.maximum(0, 1 - np.abs(places[:, None] - np.arange(len(BASE_RATES)))))


def moved_rates(by: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """The base rates with log odds that are higher by `by`."""
    rates = np.array(BASE_RATES)
    odds = rates / (1 - rates) * np.exp(by)
    return np.asarray(odds / (1 + odds))
