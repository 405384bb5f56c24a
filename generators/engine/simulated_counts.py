"""What a simulated engine was asked and gave, counted and logged.

Knows nothing of the law. Requests that were cancelled or failed count as aborted and are in no other total.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Draw(NamedTuple):
    """One sequence that was answered: the digest of its prefix, its seed, and how many tokens it got."""

    prefix: str
    seed: int
    n_tokens: int


@dataclass(slots=True)
class SimulatedCounts:
    """Requests, sequences and tokens so far; `running` sequences are in flight, `peak` was the most at once."""

    requests: int = 0
    sequences: int = 0
    aborted: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    generated_tokens: int = 0
    running: int = 0
    peak: int = 0
