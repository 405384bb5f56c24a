"""Chains of sums and differences such as `4 - 3 + 8`, each made from its own seed: the problems of the demo.

The draws are those of the task of the same name in reasoning-gym, so either makes the same problems of a seed.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from generators.problems.source import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSums:
    """How many terms a chain has and how many digits they have; `allow_negation` lets terms be negative."""

    min_terms: int = 2
    max_terms: int = 6
    min_digits: int = 1
    max_digits: int = 4
    allow_negation: bool = False

    def __post_init__(self) -> None:
        for what in ("terms", "digits"):
            least, most = getattr(self, f"min_{what}"), getattr(self, f"max_{what}")
            if least < 1:
                raise ValueError(f"min_{what} must be at least 1, got {least}")
            if most < least:
                raise ValueError(f"max_{what} must be at least min_{what} ({least}), got {most}")

    def entries(self, size: int, seed: int) -> Iterator[Entry]:
        """`size` problems, the first one from `seed`, the next one from `seed + 1`."""
        for number in range(size):
            yield Entry(f"item {number}", self._problem(random.Random(seed + number)))

    def _problem(self, draw: random.Random) -> dict[str, str]:
        n_terms = draw.randint(self.min_terms, self.max_terms)
        n_digits = draw.randint(self.min_digits, self.max_digits)
        most = 10**n_digits - 1
        least = -most if self.allow_negation else 0 if n_digits == 1 else 10 ** (n_digits - 1)
        first, *others = [draw.randint(least, most) for _ in range(n_terms)]
        signs = [draw.choice("+-") for _ in others]
        chain = " ".join([str(first), *(f"{sign} {term}" for sign, term in zip(signs, others, strict=True))])
        total = first + sum(term if sign == "+" else -term for sign, term in zip(signs, others, strict=True))
        return {
            "prompt": f"State the final answer to the following arithmetic problem: {chain} =",
            "answer": str(total),
            "level": f"num_terms={n_terms}, num_digits={n_digits}",
        }
