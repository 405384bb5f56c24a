"""The key of a family of rollouts: the policy, the prefix and the sampling params, and the digest that names them."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache

from generators.engine.protocol import Sampling
from generators.tokens import TokenIds


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerKey:
    """What a family of rollouts has in common: the policy, the prefix and the sampling params."""

    policy: str
    prefix: TokenIds | tuple[int, ...]
    sampling: Sampling

    def digest(self) -> str:
        """32 hexadecimal digits that name this key."""
        content = hashlib.blake2b(digest_size=16)
        content.update(f"{self.policy}\n{sampling_json(self.sampling)}\n".encode())
        content.update(TokenIds(self.prefix).view)
        return content.hexdigest()


@lru_cache(maxsize=64)
def sampling_json(sampling: Sampling) -> str:
    """The canonical JSON of sampling params; `excluded` is omitted if empty."""
    fields = asdict(sampling)
    if not sampling.excluded:
        del fields["excluded"]
    return json.dumps(fields, sort_keys=True)
