"""The protocol of an outcome reward model: it scores whole solutions by numbers without a scale.

Only the order of two scores from the same model is meaningful.
"""

from collections.abc import Sequence
from typing import Protocol

from generators.engine.tokenizer import Message


class RewardModel(Protocol):
    """Anything that scores the solutions of a problem; rows record the model by its `name`."""

    @property
    def name(self) -> str:
        """The model's name wherever its scores are kept."""
        ...

    async def score(self, prompt: str, solutions: Sequence[str]) -> tuple[float, ...]:
        """One finite number per solution, in order; raises one of `generators.engine.errors`."""
        ...


def conversation(prompt: str, solution: str) -> list[Message]:
    """The chat that a reward model reads: the problem, and the solution as the answer to it."""
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": solution}]
