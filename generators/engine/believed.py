"""Completions of a server's answer, as far as they can be true: anything else is refused before it is stored.

A rollout stays in the ledger for good. So ids must be whole numbers of the policy's vocabulary, as many as the server
says it generated and no more than it was asked for, and everything else must agree with them.
"""

from collections.abc import Sequence
from math import isfinite

import msgspec

from generators.engine.errors import EngineMisconfigured, EngineUnavailable, EngineUnreadable
from generators.engine.protocol import Completion, Request, Usage
from generators.records import FinishReason
from generators.tokens import TokenIds

ROUNDING = 1e-3  # a log-probability may be this far above 0


class LogProbs(msgspec.Struct):
    """The log-probabilities of a choice's tokens."""

    token_logprobs: list[float]


class Choice(msgspec.Struct):
    """One of an answer's completions; fields that are not named here are skipped unread."""

    index: int
    text: str
    finish_reason: str | None
    token_ids: list[int] | None = None
    stop_reason: int | str | None = None
    logprobs: LogProbs | None = None


class CachedTokens(msgspec.Struct):
    """How many of the prompt's tokens came from the prefix cache."""

    cached_tokens: int | None = None


class Counts(msgspec.Struct):
    """The tokens that the server counted."""

    prompt_tokens: int
    completion_tokens: int
    prompt_tokens_details: CachedTokens | None = None


def completion(request: Request, choice: Choice) -> Completion:
    """A choice as a completion of `request`; raises EngineError if it cannot be one."""
    reason = _finish_reason(request, choice)
    if choice.token_ids is None:
        raise EngineMisconfigured("the server returns no token ids: it must be a vLLM that supports return_token_ids")
    token_ids = _token_ids(request, choice.token_ids)
    if isinstance(choice.stop_reason, int) and choice.token_ids[-1] != choice.stop_reason:
        raise EngineUnreadable(f"it stopped at token {choice.stop_reason}, and its last is {choice.token_ids[-1]}")
    logprobs = _logprobs(choice.logprobs, len(token_ids)) if request.logprobs else None
    return Completion(token_ids=token_ids, text=choice.text, finish_reason=reason, logprobs=logprobs)


def _finish_reason(request: Request, choice: Choice) -> FinishReason:
    # The end-of-text token stops without a stop_reason; a model's further end tokens are named by id.
    match choice.finish_reason, choice.stop_reason:
        case "stop", str(text):
            if text not in request.limits.stop:
                raise EngineUnreadable(f"it stopped at {text[:40]!r}, which was not asked for")
            return "stop"
        case "stop", _:
            return "eos"
        case "length", _:
            return "length"
    raise EngineUnavailable(f"a completion broke off with finish_reason {choice.finish_reason!r}")


def _token_ids(request: Request, ids: Sequence[int]) -> TokenIds:
    if not 1 <= len(ids) <= request.limits.max_tokens:
        raise EngineUnreadable(f"{len(ids)} token ids, and from 1 to {request.limits.max_tokens} can be true")
    largest, smallest = max(ids), min(ids)
    if smallest < 0 or largest >= request.vocabulary:
        wrong = smallest if smallest < 0 else largest
        raise EngineUnreadable(f"token id {wrong}, and from 0 to {request.vocabulary - 1} can be true")
    if request.sampling.excluded and not set(request.sampling.excluded).isdisjoint(ids):
        raise EngineUnreadable("a token id that was excluded: the server does not heed logit_bias")
    return TokenIds(ids)


def _logprobs(logprobs: LogProbs | None, n_tokens: int) -> tuple[float, ...]:
    values = () if logprobs is None else tuple(logprobs.token_logprobs)
    if len(values) != n_tokens:
        raise EngineUnreadable(f"{len(values)} log-probabilities for {n_tokens} tokens")
    for value in values:
        if not isfinite(value) or value > ROUNDING:
            raise EngineUnreadable(f"a log-probability of {value}")
    return values


def usage(request: Request, counts: Counts, completions: Sequence[Completion]) -> Usage:
    """The server's counts; raises EngineUnreadable if they contradict what was asked, or what came."""
    n_ids = sum(len(completion.token_ids) for completion in completions)
    if counts.completion_tokens != n_ids:
        raise EngineUnreadable(f"it counts {counts.completion_tokens} generated tokens, and sends {n_ids}")
    if counts.prompt_tokens != len(request.prefix):
        raise EngineUnreadable(
            f"it read a prefix of {counts.prompt_tokens} tokens, and was sent {len(request.prefix)}: "
            "something on the way cuts or changes prompts"
        )
    cached = (counts.prompt_tokens_details and counts.prompt_tokens_details.cached_tokens) or 0
    if not 0 <= cached <= counts.prompt_tokens:
        raise EngineUnreadable(f"it counts {cached} of {counts.prompt_tokens} tokens of the prefix as cached")
    return Usage(prompt=counts.prompt_tokens, cached=cached, generated=n_ids)
