"""The protocol of a policy engine: token ids in, token ids out.

Four classes implement it: the HTTP client of a vLLM server, the fleet of such clients, the pool that bounds what is in
flight, and the simulated policy.
"""

from dataclasses import dataclass, field
from typing import Protocol

from generators.records import FinishReason
from generators.tokens import TokenIds


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Sampling params of a draw; part of a rollout's identity.

    `seed` names a family of draws: another seed gives independent rollouts of the same prefix. `top_k` 0 means off. The
    ids in `excluded` are never drawn; their probability is shared among the others.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int = 0
    excluded: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "excluded", tuple(sorted(set(self.excluded))))  # equal params must give equal keys
        if self.excluded and self.excluded[0] < 0:
            raise ValueError(f"excluded must hold token ids of at least 0, got {self.excluded[0]}")
        if self.temperature < 0:
            raise ValueError(f"temperature must be at least 0, got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be above 0 and at most 1, got {self.top_p}")
        if self.top_k < 0:
            raise ValueError(f"top_k must be at least 0 (0 is off), got {self.top_k}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where a continuation ends, besides at the end-of-text token; not part of a rollout's identity.

    A completion ends with the token that completes one of the `stop` strings, and keeps that string in its text.
    """

    max_tokens: int
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens}")
        # Only ASCII is certain to be found at the same token, whatever bytes the surrounding tokens hold.
        if not all(text and text.isascii() for text in self.stop):
            raise ValueError(f"stop must hold non-empty ASCII strings, got {self.stop}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request for `n` continuations of `prefix`; child `i` is drawn with the seed `seed + i`.

    `vocabulary` is the policy's: an engine that answers with an id from there on is not believed.
    """

    prefix: TokenIds | tuple[int, ...]
    sampling: Sampling
    limits: Limits
    seed: int
    n: int = 1
    logprobs: bool = False
    vocabulary: int = 2**32


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One continuation: its ids (with the end-of-text token if that ended it), their text, and why it ended.

    `logprobs` has one natural-log probability per id, before temperature, if the request asked for them.
    """

    token_ids: TokenIds | tuple[int, ...]
    text: str
    finish_reason: FinishReason
    logprobs: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Token counts of a call; `cached` of the `prompt` tokens came from the engine's prefix cache."""

    prompt: int = 0
    cached: int = 0
    generated: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            prompt=self.prompt + other.prompt,
            cached=self.cached + other.cached,
            generated=self.generated + other.generated,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """The `n` completions of a request, in the order of their seeds, and the name of the model that they are from."""

    completions: tuple[Completion, ...]
    usage: Usage = field(default_factory=Usage)
    model: str | None = field(default=None, compare=False)


class Engine(Protocol):
    """Anything that continues prefixes. Cancelling the call cancels the work on the server."""

    async def generate(self, request: Request) -> Generation:
        """Continue `request.prefix`; raises one of `generators.engine.errors`."""
        ...
