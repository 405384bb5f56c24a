"""Which replica a prefix belongs to, so that the rollouts of one problem find its prefix in one replica's cache.

The key of a prefix is its shortest beginning, in blocks, that is not too common: what a prompt's template shares with
all others says nothing, and a problem with half of all requests is told apart by its steps. Rendezvous hashing orders
the replicas for a key, so a replica that is out moves its own keys only. A replica whose load exceeds the mean by more
than a factor is passed over: affinity never starves a replica.
"""

import hashlib
import math
from array import array
from collections.abc import Mapping, Sequence
from functools import lru_cache
from zlib import crc32

from generators.tokens import FORMAT, TokenIds

SLACK = 1.25
_BLOCK_BYTES = 16 * array(FORMAT).itemsize
_COMMON = 128
_REMEMBERED = 256  # requests per replica after which counts are halved


class Affinity:
    """The order of replicas for each prefix; `names` must name a replica alike in every run."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = [name.encode() for name in names]
        self._counts: dict[int, int] = {}
        self._requests = 0
        self._order_of = lru_cache(maxsize=65_536)(self._hashed)

    def order(self, prefix: Sequence[int]) -> tuple[int, ...]:
        """The replicas' numbers, from the one that `prefix` belongs to on; counts the prefix."""
        self._requests += 1
        if self._requests % (_REMEMBERED * len(self._names)) == 0:
            self._counts = {key: half for key, count in self._counts.items() if (half := count // 2)}
        return self._order_of(self._key(prefix))

    def _key(self, prefix: Sequence[int]) -> int:
        content = prefix.tobytes() if isinstance(prefix, TokenIds) else array(FORMAT, prefix).tobytes()
        counts, key = self._counts, 0
        for start in range(0, len(content), _BLOCK_BYTES):
            key = crc32(content[start : start + _BLOCK_BYTES], key)
            counts[key] = count = counts.get(key, 0) + 1
            if count <= _COMMON:
                break
        return key

    def _hashed(self, key: int) -> tuple[int, ...]:
        start = key.to_bytes(4, "big")
        scores = [hashlib.blake2b(start + name, digest_size=8).digest() for name in self._names]
        return tuple(sorted(range(len(scores)), key=scores.__getitem__, reverse=True))


def chosen(order: Sequence[int], loads: Mapping[int, int], n: int) -> int:
    """The first replica in `order` whose load stays within the bound with `n` more sequences, or the least loaded.

    `loads` has the sequences in flight of every replica that may be chosen.
    """
    bound = math.ceil(SLACK * (sum(loads.values()) + n) / len(loads))
    for replica in order:
        if replica in loads and loads[replica] + n <= bound:
            return replica
    return min(loads, key=loads.__getitem__)
