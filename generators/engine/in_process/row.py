"""One sequence in the making: its request, the tokens drawn so far, and why it ended."""

import random
from dataclasses import dataclass, field
from typing import Any

from generators.engine.protocol import Completion, Limits, Sampling
from generators.engine.tokenizer import Tokenizer
from generators.records import FinishReason


@dataclass(slots=True, eq=False)
class Row:
    """A sequence after `prefix`; its draws follow from its own seed, whatever else is in the batch."""

    prefix: tuple[int, ...]
    sampling: Sampling
    limits: Limits
    uniform: random.Random
    wants_logprobs: bool
    done: Any  # a future of the event loop
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    text: str = ""
    finish_reason: FinishReason | None = None
    is_cancelled: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more is drawn."""
        return self.finish_reason is not None or self.is_cancelled

    @property
    def left(self) -> int:
        """How many tokens may still be drawn."""
        return self.limits.max_tokens - len(self.token_ids)

    def add(self, token_id: int, logprob: float | None, *, piece: str, is_end: bool) -> None:
        """Append a token, and see whether it ends the sequence."""
        self.token_ids.append(token_id)
        if logprob is not None:
            self.logprobs.append(logprob)
        start = len(self.text)
        self.text += piece
        if is_end:
            self.finish_reason = "eos"
        elif any(self.text.find(stop, max(0, start - len(stop) + 1)) >= 0 for stop in self.limits.stop):
            self.finish_reason = "stop"
        elif self.left == 0:
            self.finish_reason = "length"

    def completion(self, tokenizer: Tokenizer) -> Completion:
        """The finished sequence."""
        if self.finish_reason is None:
            raise ValueError("finish_reason must be known, got None: the row is not over")
        return Completion(
            token_ids=tuple(self.token_ids),
            text=tokenizer.decode(self.token_ids),
            finish_reason=self.finish_reason,
            logprobs=tuple(self.logprobs) if self.wants_logprobs else None,
        )
