"""Which prefixes an engine has already computed, and what it was asked and gave, counted.

A prefix counts in whole blocks, as in a server's prefix cache. Knows nothing of requests or of the law. Only prompts
enter the cache here; a real server also keeps what it generated. Requests that were cancelled or failed count as
aborted and are in no other total.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class PrefixCache:
    """Remembers the blocks of the prefixes it has seen; the oldest are forgotten beyond `capacity` blocks."""

    def __init__(self, *, block_size: int, capacity: int) -> None:
        if block_size < 1:
            raise ValueError(f"block_size must be at least 1, got {block_size}")
        self._block_size = block_size
        self._capacity = capacity
        self._blocks: dict[int, None] = {}

    def cached(self, prefix: Sequence[int]) -> int:
        """How many leading tokens of `prefix` are known; the last token is always computed anew."""
        known = 0
        for block in self._chain(prefix[:-1]):
            if block not in self._blocks:
                break
            known += self._block_size
        return known

    def add(self, prefix: Sequence[int]) -> None:
        """From now on the whole blocks of `prefix` are known."""
        for block in self._chain(prefix):
            self._blocks[block] = None
        while len(self._blocks) > self._capacity:
            del self._blocks[next(iter(self._blocks))]

    def _chain(self, prefix: Sequence[int]) -> list[int]:
        chain: list[int] = []
        for end in range(self._block_size, len(prefix) + 1, self._block_size):
            chain.append(hash((chain[-1] if chain else 0, *prefix[end - self._block_size : end])))
        return chain


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
