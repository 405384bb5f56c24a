"""The law of the simulated policy: how often a step goes wrong or recovers, and the step value that follows.

Right and wrong are the two states of a Markov chain with one transition per step: right turns wrong with the error
rate, wrong turns right with the recovery rate.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

_BISECTIONS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedLaw:
    """How the policy writes; each prompt gets its own base rate from `base_rates`, chosen by hash.

    base_rates: the probability that a whole solution ends right.
    error_rates: the probability that a right step is followed by a wrong one, instead of base rates: each prompt gets
        its own, chosen by hash. Without any, it is solved from the base rate.
    recovery_rate: the probability that the step after a wrong total states the true one.
    late: totals stay right or wrong, and only the boxed answer breaks or is mended. The step value is then the base
        rate after a right prefix and the recovery rate after a wrong one.
    mean_fillers: the mean of the geometric number of filler tokens in a step.
    mend_rate, break_rate: after a trigger the policy states its totals again. The last of them (with `late`, the boxed
        answer) turns right with `mend_rate` if it was wrong, and wrong with `break_rate` if it was right.
    seed: another seed assigns the base rates differently.
    """

    base_rates: tuple[float, ...] = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    error_rates: tuple[float, ...] = ()
    recovery_rate: float = 0.05
    late: bool = False
    mean_fillers: float = 3.0
    mend_rate: float = 0.1
    break_rate: float = 0.02
    seed: int = 0

    def __post_init__(self) -> None:
        for field in ("recovery_rate", "mend_rate", "break_rate"):
            if not 0 <= getattr(self, field) <= 1:
                raise ValueError(f"{field} must be from 0 to 1, got {getattr(self, field)}")
        if not all(0 <= rate <= 1 for rate in self.error_rates):
            raise ValueError(f"error_rates must be from 0 to 1, got {self.error_rates}")
        reachable = self.base_rates and all(self.recovery_rate < rate <= 1 for rate in self.base_rates)
        if not self.error_rates and not reachable:
            raise ValueError(
                f"base_rates must be above recovery_rate={self.recovery_rate} and at most 1, got {self.base_rates}"
            )
        if self.mean_fillers < 0:
            raise ValueError(f"mean_fillers must be at least 0, got {self.mean_fillers}")

    def step_error_rate(self, text: str, n_steps: int) -> float:
        """The probability that a right step of the problem `text` is followed by a wrong step."""
        if self.error_rates:
            return self._of_prompt(self.error_rates, text)
        base_rate = self.base_rate(text)
        return 1 - base_rate if self.late else solved_error_rate(base_rate, self.recovery_rate, n_steps)

    def base_rate(self, text: str) -> float:
        """The base rate assigned to the problem `text`."""
        return self._of_prompt(self.base_rates, text)

    def _of_prompt(self, rates: tuple[float, ...], text: str) -> float:
        digest = hashlib.blake2b(f"{self.seed}/{text}".encode(), digest_size=8).digest()
        return rates[int.from_bytes(digest, "big") % len(rates)]


def chain_value(*, right: bool, error_rate: float, recovery_rate: float, remaining: int) -> float:
    """The probability that the chain is in the right state after `remaining` more steps."""
    total_rate = error_rate + recovery_rate
    if total_rate == 0:
        return float(right)
    stationary = recovery_rate / total_rate
    return stationary + (right - stationary) * (1 - total_rate) ** remaining


@lru_cache(maxsize=4096)
def solved_error_rate(base_rate: float, recovery_rate: float, n_steps: int) -> float:
    """The error rate at which a solution of `n_steps` steps ends right with probability `base_rate`; by bisection.

    The value falls from 1 at error rate 0 to `recovery_rate` at error rate `1 - recovery_rate`.
    """
    low, high = 0.0, 1 - recovery_rate
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        value = chain_value(right=True, error_rate=middle, recovery_rate=recovery_rate, remaining=n_steps)
        low, high = (middle, high) if value > base_rate else (low, middle)
    return low
