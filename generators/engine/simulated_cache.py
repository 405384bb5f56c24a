"""Which prefixes an engine has already computed, in whole blocks, as a server's prefix cache would count them.

Knows nothing of requests. Only prompts enter the cache here; a real server also keeps what it generated.
"""

from collections.abc import Sequence


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
