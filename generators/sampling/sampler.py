"""The only way to the engine: looks in the ledger first, and never pays for a rollout twice.

A rollout is named by its key and index, and its seed follows from them. So its content never depends on time, on the
order of requests or on the caller. A stored rollout that is longer than requested is cut; one that was cut short is
continued from its own tokens. If the engine has spare slots, rollouts that a caller will probably request next are
drawn ahead: that changes when they are ready, not what they contain.
"""

import asyncio
import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Self
from weakref import WeakValueDictionary

from generators.engine.errors import EngineError
from generators.engine.protocol import Engine, Limits, Request, Sampling
from generators.engine.tokenizer import Tokenizer
from generators.records import FinishReason, Rollout
from generators.sampling.ledger import Ledger, LedgerKey, Stored
from generators.sampling.storage import StorageError
from generators.sampling.tasks import gather
from generators.tokens import TokenIds

SPARE_SHARE = 4  # one call draws ahead on at most 1 / SPARE_SHARE of the free slots


@dataclass(slots=True)
class SamplerCounts:
    """Requested rollouts: `replayed` whole from the ledger, `drawn` by the engine, or stored and `continued` by it."""

    replayed: int = 0
    drawn: int = 0
    continued: int = 0


class Sampler:
    """Draws rollouts of one policy through one ledger; `context` is the policy's context in tokens, if known.

    `spare` returns how many more sequences the engine could take now; without it nothing is drawn ahead. An async
    context manager; on exit it cancels the rollouts that are still being drawn ahead.
    """

    def __init__(
        self,
        *,
        policy: str,
        engine: Engine,
        tokenizer: Tokenizer,
        ledger: Ledger,
        context: int | None = None,
        spare: Callable[[], int] = lambda: 0,
    ) -> None:
        self.policy = policy
        self._context = context
        self.tokenizer = tokenizer
        self.counts = SamplerCounts()
        self._engine = engine
        self._ledger = ledger
        self._spare = spare
        self._ahead: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._locks: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        tasks = list(self._ahead.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def room(self, prefix: Sequence[int], wanted: int) -> int:
        """How many of `wanted` tokens fit in the policy's context after `prefix`; below 1 means none."""
        return wanted if self._context is None else min(wanted, self._context - len(prefix))

    def held(self, prefix: Sequence[int], *, sampling: Sampling, max_tokens: int) -> int:
        """How many rollouts of `prefix` are stored from index 0 on without a gap, each whole within `max_tokens`.

        It is 0 if one of them was cut off before that, for a caller that wanted less: its whole siblings are then the
        short ones. Draws nothing; raises StorageError.
        """
        extents = self._ledger.held(LedgerKey(policy=self.policy, prefix=TokenIds(prefix), sampling=sampling).digest())
        most = max(1, self.room(prefix, max_tokens))
        is_whole = all(extent.finish_reason == "eos" or extent.length >= most for extent in extents)
        return len(extents) if is_whole else 0

    async def draw(
        self, prefix: Sequence[int], *, n: int, sampling: Sampling, limits: Limits, start: int = 0, ahead: int = 0
    ) -> tuple[Rollout, ...]:
        """Rollouts `start` to `start + n - 1` of `prefix`, in the order of their indexes; raises EngineError.

        They are sent as `n` requests of one sequence each: a finished one reaches the ledger at once and frees its
        slot, and the engine's prefix cache serves siblings as well as for one request of `n` sequences. If any of them
        must be drawn, up to `ahead` further ones are started on the engine's spare slots.
        """
        key = LedgerKey(policy=self.policy, prefix=TokenIds(prefix), sampling=sampling)
        digest = key.digest()
        indexes = range(start, start + n)
        ready = [self._stored(key, digest, index, limits) for index in indexes]
        if all(rollout is not None for rollout in ready):
            self.counts.replayed += n
            return tuple(rollout for rollout in ready if rollout is not None)
        room = min(ahead, self._spare() // SPARE_SHARE)
        self._draw_ahead(key, digest, range(start + n, start + n + room), limits)
        return await gather(self._draw_one(key, digest, index, limits) for index in indexes)

    def _draw_ahead(self, key: LedgerKey, digest: str, indexes: Iterable[int], limits: Limits) -> None:
        for index in indexes:
            name = (digest, index)
            if name not in self._ahead and self._ledger.get(digest, index) is None:
                task = asyncio.create_task(self._draw_one_ahead(key, digest, index, limits))
                self._ahead[name] = task

    async def _draw_one_ahead(self, key: LedgerKey, digest: str, index: int, limits: Limits) -> None:
        try:
            with suppress(EngineError, StorageError):  # raised again for the next request, or the next write
                await self._draw_one(key, digest, index, limits)
        finally:
            del self._ahead[digest, index]

    async def _draw_one(self, key: LedgerKey, digest: str, index: int, limits: Limits) -> Rollout:
        lock = self._locks.setdefault((digest, index), asyncio.Lock())
        async with lock:  # two recipes that want the same rollout pay only once
            rollout = self._stored(key, digest, index, limits)
            if rollout is not None:
                self.counts.replayed += 1
                return rollout
            drawn = await self._generate(key, digest, index, limits)
            self._ledger.add(key, drawn)
            kept = self._stored(key, digest, index, limits)
            return drawn if kept is None or kept == drawn else kept

    async def _generate(self, key: LedgerKey, digest: str, index: int, limits: Limits) -> Rollout:
        stored = self._ledger.get(digest, index)
        head = TokenIds(stored.token_ids) if stored else TokenIds()
        request = Request(
            prefix=TokenIds(key.prefix) + head if head else key.prefix,
            sampling=key.sampling,
            limits=Limits(max_tokens=limits.max_tokens - len(head), stop=limits.stop),
            seed=rollout_seed(digest, index, len(head)),
            vocabulary=self.tokenizer.vocabulary,
        )
        generation = await self._engine.generate(request)
        completion = generation.completions[0]
        if head:
            self.counts.continued += 1
        else:
            self.counts.drawn += 1
        return Rollout(
            key=digest,
            index=index,
            token_ids=head + completion.token_ids if head else completion.token_ids,
            text=self.tokenizer.decode,
            finish_reason=completion.finish_reason,
        )

    def _stored(self, key: LedgerKey, digest: str, index: int, limits: Limits) -> Rollout | None:
        """The stored rollout cut to `limits`, or None if there is none or it must be continued first."""
        stored = self._ledger.get(digest, index)
        if stored:  # an engine ends a completion where its context ends
            limits = replace(limits, max_tokens=max(1, self.room(key.prefix, limits.max_tokens)))
        shortened = cut(stored, limits, self.tokenizer) if stored else None
        if shortened is None:
            return None
        token_ids, reason = shortened
        text = self.tokenizer.decode
        return Rollout(key=digest, index=index, token_ids=token_ids, text=text, finish_reason=reason)


def rollout_seed(digest: str, index: int, offset: int) -> int:
    """The seed of rollout `index` of a key, resumed after its first `offset` tokens; 0 to 2^48."""
    if offset == 0:
        return int(digest[:12], 16) + index  # child i of a request for n has seed + i
    return int(hashlib.blake2b(f"{digest}/{index}/{offset}".encode(), digest_size=6).hexdigest(), 16)


def cut(known: Stored, limits: Limits, tokenizer: Tokenizer) -> tuple[TokenIds, FinishReason] | None:
    """What a fresh draw within `limits` would give, or None if the stored tokens end too early."""
    ids = TokenIds(known.token_ids)[: limits.max_tokens]
    end = _stop_end(ids, limits.stop, tokenizer)
    if end is not None:
        return ids[:end], "stop"
    if len(ids) == len(known.token_ids) and known.finish_reason == "eos":
        return ids, "eos"
    if len(ids) == limits.max_tokens:
        return ids, "length"
    return None


def _stop_end(ids: TokenIds, stop: tuple[str, ...], tokenizer: Tokenizer) -> int | None:
    """The number of ids up to the one that completes the first stop string to end; None if there is none."""
    if not stop:
        return None
    pieces = tokenizer.pieces(ids)
    text = "".join(pieces)
    ends = [place + len(string) for string in stop if (place := text.find(string)) >= 0]
    if not ends:
        return None
    return bisect_left(list(accumulate(map(len, pieces))), min(ends)) + 1
