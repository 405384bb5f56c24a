"""The prefix cache of the simulated engine, and its counts of requests and tokens.

As in a real server, prefixes are cached in whole blocks. Only prompts enter the cache; a real server also keeps what it
generated. Requests that were cancelled or failed count as aborted and in no other total.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class PrefixCache:
    """The blocks of the prefixes seen so far; beyond `capacity` blocks the oldest are dropped."""

    def __init__(self, *, block_size: int, capacity: int) -> None:
        if block_size < 1:
            raise ValueError(f"block_size must be at least 1, got {block_size}")
        self._block_size = block_size
        self._capacity = capacity
        self._blocks: dict[int, None] = {}

    def cached(self, prefix: Sequence[int]) -> int:
        """How many leading tokens of `prefix` are cached; the last token never counts as cached."""
        known = 0
        for block in self._chain(prefix[:-1]):
            if block not in self._blocks:
                break
            known += self._block_size
        return known

    def add(self, prefix: Sequence[int]) -> None:
        """Cache the whole blocks of `prefix`."""
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
    """One answered sequence: the digest of its prefix, its seed, and how many tokens it has."""

    prefix: str
    seed: int
    n_tokens: int


@dataclass(slots=True)
class SimulatedCounts:
    """Requests, sequences and tokens so far; `running` sequences are in flight, `peak` is the most at once."""

    requests: int = 0
    sequences: int = 0
    aborted: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    generated_tokens: int = 0
    running: int = 0
    peak: int = 0
