"""By what the weights behind an address are recognised: the likeliest next tokens at each place of a fixed text.

The same weights give the same log-probabilities up to numeric noise, which depends on the number format, the batch and
the kernels. So fingerprints are compared by their mean distance and never hashed. They tell apart models, and
checkpoints of one model between which training has moved its predictions by more than the noise.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from generators.engine.errors import EngineBusy, EngineErred, EngineUnreadable
from generators.engine.next_tokens import LogProbabilities
from generators.engine.tokenizer import Tokenizer

MOST_NOISE = 0.15  # nats; see docs/engine.md for what was measured
_FARTHEST = 5.0  # no token counts for more, since noise grows for tokens that are next to impossible
_PLACES = 32
_AT_ONCE = 8
_TRIES = 8
_QUESTION = "Start with 17. Add 25. Add 8. Add 46. Add 31. Add 9. Add 54. Add 12. Add 3. Give the total modulo 100."
_ANSWER = """Adding 25 gives 42
Adding 8 gives 50
Adding 46 gives 96
Adding 31 gives 27
Adding 9 gives 36
Adding 54 gives 90
Adding 12 gives 2
Adding 3 gives 5
"""  # the simulated policy reads it too


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A text as token ids, and the places at which the next token is asked for."""

    token_ids: tuple[int, ...]
    places: tuple[int, ...]


class AsksNextTokens(Protocol):
    """What is needed of a client."""

    async def next_tokens(self, prefix: Sequence[int]) -> LogProbabilities: ...


def probe_of(tokenizer: Tokenizer) -> Probe:
    """The fixed text in a policy's own tokens: a worked problem in its chat template."""
    start = tuple(tokenizer.chat([{"role": "user", "content": _QUESTION}]))
    ids = start + tuple(tokenizer.encode(_ANSWER))
    return Probe(token_ids=ids, places=tuple(range(len(start), len(ids), 2))[:_PLACES])


async def fingerprint(client: AsksNextTokens, probe: Probe) -> tuple[LogProbabilities, ...]:
    """What a server says at each place; raises one of `generators.engine.errors`."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def at(place: int) -> LogProbabilities:
        async with slots:
            return await _patiently(client, probe.token_ids[:place])

    return tuple(await asyncio.gather(*(at(place) for place in probe.places)))


async def _patiently(client: AsksNextTokens, prefix: Sequence[int]) -> LogProbabilities:
    failures = 0
    while True:
        try:
            return await client.next_tokens(prefix)
        except (EngineBusy, EngineErred, EngineUnreadable) as error:
            failures += 1
            if failures == _TRIES:
                raise
            asked = error.retry_after_s if isinstance(error, EngineBusy) else None
        await asyncio.sleep(max(asked or 0.0, min(2.0, 0.05 * 2.0**failures) * random.uniform(0.5, 1.0)))


def distance(one: Sequence[LogProbabilities], other: Sequence[LogProbabilities]) -> float:
    """The mean difference of log-probabilities over all tokens at all places, in nats.

    Raises ValueError if they are not of one probe.
    """
    if len(one) != len(other) or not one:
        raise ValueError(f"fingerprints must have the same places, got {len(one)} and {len(other)}")
    return sum(map(_distance_at, one, other)) / len(one)


def _distance_at(one: LogProbabilities, other: LogProbabilities) -> float:
    tokens = one.keys() | other.keys()
    return sum(_difference(one, other, token) for token in tokens) / len(tokens)


def _difference(one: LogProbabilities, other: LogProbabilities, token: str) -> float:
    # A token that is not among the listed ones is at most as likely as the last of them.
    floors = min(one.values()), min(other.values())
    if token not in one:
        gap = other[token] - floors[0]
    elif token not in other:
        gap = one[token] - floors[1]
    else:
        return min(_FARTHEST, abs(one[token] - other[token]))
    return min(_FARTHEST, max(0.0, gap))
