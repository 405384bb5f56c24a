"""Chains whose errors may be noticed: the line after a wrong one takes it back as often as not."""

from dataclasses import dataclass, field

from generators.problems.laboratory.chains import Chains
from generators.problems.laboratory.facts import Beliefs


@dataclass(frozen=True, slots=True, kw_only=True)
class Slips(Chains):
    """Chains whose wrong lines are taken back with probability `notice`."""

    beliefs: Beliefs = field(default_factory=lambda: Beliefs(share=0.3, rate=0.8, seed=1))
    notice: float = 0.4

    title = "Slip"
    word = "left"

    def __post_init__(self) -> None:
        Chains.__post_init__(self)
        if not 0 <= self.notice < 1:
            raise ValueError(f"notice must be at least 0 and below 1, got {self.notice}")
