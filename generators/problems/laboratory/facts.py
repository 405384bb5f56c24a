"""Facts about pairs of digits, and the false beliefs about some of them that a policy is taught."""

import random
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """`share` of the facts have a false belief, which is stated instead of the fact with probability `rate`."""

    share: float = 0.25
    rate: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        for field in ("share", "rate"):
            if not 0 <= getattr(self, field) <= 1:
                raise ValueError(f"{field} must be from 0 to 1, got {getattr(self, field)}")

    def is_held(self, fact: str) -> bool:
        """Whether there is a false belief about a fact, written as its left side."""
        return _drawn(self.seed, fact) < self.share

    def believed(self, fact: str, result: int) -> int:
        """The false result of a fact whose result is the digit `result`."""
        return (result + random.Random(f"{self.seed}/{fact}/offset").randint(1, 9)) % 10


@cache
def _drawn(seed: int, fact: str) -> float:
    return random.Random(f"{seed}/{fact}").random()
