"""What an outcome reward model is: it says of a whole solution how good it is, by a number without a scale.

Knows no model and no server. Only the order of two numbers from one model means something.
"""

from collections.abc import Sequence
from typing import Protocol

from generators.engine.tokenizer import Message


class RewardModel(Protocol):
    """Whatever scores the solutions of a problem; `name` says on every row which model it was."""

    @property
    def name(self) -> str:
        """What the model is called wherever its scores are kept."""
        ...

    async def score(self, prompt: str, solutions: Sequence[str]) -> tuple[float, ...]:
        """One finite number a solution, in their order; raises one of `generators.engine.errors`."""
        ...


def conversation(prompt: str, solution: str) -> list[Message]:
    """The chat that a reward model reads: the problem, and the solution as the answer to it."""
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": solution}]
