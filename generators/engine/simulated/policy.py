"""The simulated policy: an engine whose law is known, so that algorithms can be checked against the truth.

It continues any prefix that quotes one of its statements in a chat template, at the rates of its law. Of the sampling
params, only the seed and the excluded ids change what it draws.
"""

import asyncio
import hashlib
import math
from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from random import Random
from typing import NamedTuple

from generators.engine.errors import RequestRefused
from generators.engine.protocol import Completion, Generation, Limits, Request, Usage
from generators.engine.simulated.cache import Draw, PrefixCache, SimulatedCounts
from generators.engine.simulated.draw import draw, score
from generators.engine.simulated.faults import Faults
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.position import Phase, Position, Task
from generators.engine.simulated.statement import SimulatedProblems, Statement
from generators.engine.simulated.vocabulary import ASSISTANT, EOS, VOCABULARY_SIZE, SimulatedTokenizer
from generators.records import FinishReason, Problem

_SEED_BITS = 64
_CACHED_BLOCKS = 100_000


class _LocatedPrefix(NamedTuple):
    digest: bytes
    position: Position


class SimulatedPolicy:
    """An in-process `generators.engine.protocol.Engine`.

    A request takes `seconds_per_token` times the length of its longest completion; at 0 it never yields to the event
    loop. `drawn` lists every answered sequence unless `keeps_log` is off. `faults` makes the policy stall or die.
    """

    def __init__(
        self,
        *,
        law: SimulatedLaw | None = None,
        problems: SimulatedProblems | None = None,
        seconds_per_token: float = 0.0,
        max_model_len: int = 8192,
        cache_block: int = 32,
        cached_blocks: int = _CACHED_BLOCKS,
        keeps_log: bool = True,
    ) -> None:
        if seconds_per_token < 0:
            raise ValueError(f"seconds_per_token must be at least 0, got {seconds_per_token}")
        if max_model_len < 1:
            raise ValueError(f"max_model_len must be at least 1, got {max_model_len}")
        self.law = law or SimulatedLaw()
        self.problems = problems or SimulatedProblems()
        self.tokenizer = SimulatedTokenizer()
        self.max_model_len = max_model_len
        self.counts = SimulatedCounts()
        self.drawn: list[Draw] = []
        self.faults = Faults()
        self._seconds_per_token = seconds_per_token
        self._keeps_log = keeps_log
        self._cache = PrefixCache(block_size=cache_block, capacity=cached_blocks)
        self._random = Random()
        self._watchers: list[asyncio.Future[None]] = []
        self._task = lru_cache(maxsize=4096)(self._find_task)
        self._located = lru_cache(maxsize=1024)(self._locate)

    def problem(self, index: int) -> Problem:
        """Problem `index` of the policy's own endless source."""
        return self.problems.problem(index)

    def value(self, prefix: Sequence[int]) -> float:
        """The true probability that a continuation of `prefix` ends right; raises RequestRefused."""
        return self._located(tuple(prefix)).position.value

    def first_error(self, token_ids: Sequence[int]) -> int | None:
        """The index of the first step of the solution in `token_ids` whose total is wrong, or None."""
        return self._located(tuple(token_ids)).position.first_error

    def score(self, prefix: Sequence[int], token_ids: Sequence[int]) -> tuple[float, ...]:
        """The true natural-log probability of each of `token_ids` after `prefix`."""
        return score(self._located(tuple(prefix)).position, token_ids)

    def next_tokens(self, prefix: Sequence[int], n: int) -> dict[int, float]:
        """The `n` likeliest next tokens after `prefix` with their natural-log probabilities; raises RequestRefused."""
        shares = self._located(tuple(prefix)).position.next_tokens()
        likeliest = sorted(shares.items(), key=lambda item: (-item[1], item[0]))[:n]
        return {token_id: math.log(share) for token_id, share in likeliest if share > 0}

    def greedy(self, prefix: Sequence[int]) -> Completion:
        """The likeliest next token after `prefix`, in no count and no log; raises RequestRefused."""
        if not (likeliest := self.next_tokens(prefix, 1)):
            raise RequestRefused("prefix ends with the end-of-text token; there is nothing to continue")
        ((token_id, logprob),) = likeliest.items()
        return Completion(
            token_ids=(token_id,), text=self.tokenizer.piece(token_id), finish_reason="length", logprobs=(logprob,)
        )

    async def reached(self, condition: Callable[[SimulatedCounts], bool]) -> None:
        """Return once `condition` holds for the counts; checked whenever a request starts or ends."""
        while not condition(self.counts):
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._watchers.append(future)
            await future

    async def generate(self, request: Request) -> Generation:
        """Continue `request.prefix`; raises RequestRefused, or EngineUnavailable when dead."""
        prefix = self._located(request.prefix)
        if prefix.position.phase is Phase.ENDED:
            raise RequestRefused("prefix ends with the end-of-text token; there is nothing to continue")
        limits = self._limits(request)
        self.faults.accept(request.n)
        completions = tuple(self._complete(request, prefix, limits, child) for child in range(request.n))
        self._begin(request.n)
        try:
            longest = max(len(completion.token_ids) for completion in completions)
            await self.faults.hold(longest * self._seconds_per_token)
        except BaseException:
            self.counts.aborted += request.n
            raise
        finally:
            self.counts.running -= request.n
            self._wake()
        return Generation(completions=completions, usage=self._record(request, prefix, completions))

    def _complete(self, request: Request, prefix: _LocatedPrefix, limits: Limits, child: int) -> Completion:
        seed = (request.seed + child) % (1 << _SEED_BITS)
        self._random.seed((int.from_bytes(prefix.digest, "big") << _SEED_BITS) + seed)
        ids = draw(prefix.position, self._random, limits.max_tokens, excluded=request.sampling.excluded)
        text = self.tokenizer.decode(ids)
        reason: FinishReason = "eos" if ids[-1] == EOS else "length"
        end = self._stop_end(ids, text, limits.stop) if limits.stop else None
        if end is not None:
            ids, reason = ids[:end], "stop"
            text = self.tokenizer.decode(ids)
        logprobs = score(prefix.position, ids) if request.logprobs else None
        return Completion(token_ids=tuple(ids), text=text, finish_reason=reason, logprobs=logprobs)

    def _stop_end(self, ids: Sequence[int], text: str, stop: tuple[str, ...]) -> int | None:
        """How many of `ids` cover the text up to the end of the stop string that ends first."""
        stop_ends = [start + len(word) for word in stop if (start := text.find(word)) >= 0]
        if not stop_ends:
            return None
        length = 0
        for end, token_id in enumerate(ids, start=1):
            length += len(self.tokenizer.piece(token_id))
            if length >= min(stop_ends):
                return end
        return None

    def _begin(self, sequences: int) -> None:
        counts = self.counts
        counts.requests += 1
        counts.running += sequences
        counts.peak = max(counts.peak, counts.running)
        self._wake()

    def _wake(self) -> None:
        watchers, self._watchers = self._watchers, []
        for future in watchers:
            if not future.done():
                future.set_result(None)

    def _record(self, request: Request, prefix: _LocatedPrefix, completions: tuple[Completion, ...]) -> Usage:
        """Count, log and cache an answered request."""
        usage = Usage(
            prompt=len(request.prefix),
            cached=self._cache.cached(request.prefix),
            generated=sum(len(completion.token_ids) for completion in completions),
        )
        self._cache.add(request.prefix)
        self.counts.sequences += request.n
        self.counts.prompt_tokens += usage.prompt
        self.counts.cached_tokens += usage.cached
        self.counts.generated_tokens += usage.generated
        if self._keeps_log:
            digest = prefix.digest.hex()
            for child, completion in enumerate(completions):
                self.drawn.append(Draw(digest, request.seed + child, len(completion.token_ids)))
        return usage

    def _limits(self, request: Request) -> Limits:
        """The request's limits, capped by the context; raises RequestRefused if there is no room for a token."""
        limits, room = request.limits, self.max_model_len - len(request.prefix)
        if room < 1:
            raise RequestRefused(
                f"prefix has {len(request.prefix)} tokens, but the maximum context length is {self.max_model_len} "
                "tokens and must leave room for one more; shorten the prefix or raise max_model_len"
            )
        return limits if limits.max_tokens <= room else Limits(max_tokens=room, stop=limits.stop)

    def _locate(self, prefix: tuple[int, ...]) -> _LocatedPrefix:
        if not prefix or min(prefix) < 0 or max(prefix) >= VOCABULARY_SIZE:
            raise RequestRefused(
                f"prefix must hold token ids from 0 to {VOCABULARY_SIZE - 1}; encode it with this policy"
            )
        if ASSISTANT not in prefix:
            raise RequestRefused("prefix has no assistant's turn to continue; make it with the tokenizer's chat()")
        start = len(prefix) - prefix[::-1].index(ASSISTANT)
        position = Position(self._task(prefix[:start])).read(prefix[start:])
        return _LocatedPrefix(prefix_digest(prefix), position)

    def _find_task(self, prompt: tuple[int, ...]) -> Task:
        statement = Statement.find(self.tokenizer.decode(prompt))
        if statement is None:
            raise RequestRefused("prefix quotes no problem of the simulated policy; make one with problem()")
        return Task.under(self.law, statement)


def prefix_digest(prefix: Sequence[int]) -> bytes:
    """The 16 bytes that name a prefix in the log; `Draw.prefix` is their hexadecimal form."""
    return hashlib.blake2b(array("I", prefix).tobytes(), digest_size=16).digest()
