"""Chains of operations on one digit, some of whose results the policy believes to be others.

`up 4` adds 4 modulo 10, so that an error is never absorbed. Every operation has a label, by which a small policy finds
it.
"""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from string import ascii_lowercase

from generators.problems.laboratory.facts import Beliefs
from generators.problems.laboratory.law import Move

Operation = tuple[str, int]  # its label and its term

MOST_TERM = 5  # with larger terms, a result says nothing about the digit alone, and facts are slow to learn
LABELS = tuple(f"({letter})" for letter in ascii_lowercase[:12])
_STEP = re.compile(r"(\(\w\)): \d (\w+) (\d) is (\d)")


@dataclass(frozen=True, slots=True)
class Chain:
    """The digit that was reached, the operations still to come, and the line that may be repeated."""

    digit: int
    rest: tuple[Operation, ...]
    last: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """Chains of `min_steps` to `max_steps` operations, with false beliefs about some facts."""

    min_steps: int = 4
    max_steps: int = 8
    beliefs: Beliefs = field(default_factory=lambda: Beliefs(share=0.2))

    title = "Chain"
    word = "up"
    notice = 0.0

    def __post_init__(self) -> None:
        check_steps(self.min_steps, self.max_steps)

    def draw(self, draw: random.Random) -> str:
        """A chain of any digits."""
        labels = LABELS[: draw.randint(self.min_steps, self.max_steps)]
        operations = [(label, draw.randint(1, MOST_TERM)) for label in labels]
        return prompt_of(self, draw.randint(0, 9), operations)

    def begin(self, prompt: str) -> Chain:
        """The first digit, with all operations to come."""
        return chain_of(prompt)

    def moves(self, chain: Chain) -> tuple[Move[Chain], ...]:
        """The next fact, and what is believed instead of it."""
        if not chain.rest:
            return ()
        (label, term), rest = chain.rest[0], chain.rest[1:]
        fact, result = f"{chain.digit} {self.word} {term}", (chain.digit + term) % 10
        right = f"{label}: {fact} is {result}"
        if not self.beliefs.is_held(fact):
            return (Move(right, 1.0, Chain(result, rest)),)
        rate, false = self.beliefs.rate, self.beliefs.believed(fact, result)
        wrong = f"{label}: {fact} is {false}"
        return (Move(right, 1 - rate, Chain(result, rest)), Move(wrong, rate, Chain(false, rest), is_right=False))

    def read(self, chain: Chain, line: str) -> Chain | None:
        """A line about the next operation leads to the digit that it states."""
        step = _STEP.fullmatch(line)
        if step is None or step[2] != self.word or not chain.rest or (step[1], int(step[3])) != chain.rest[0]:
            return None
        return Chain(int(step[4]), chain.rest[1:])

    def answer(self, chain: Chain) -> str:
        """The last digit."""
        return str(chain.digit)

    def level(self, prompt: str) -> str:
        """The number of operations."""
        return str(len(chain_of(prompt).rest))


def check_steps(least: int, most: int) -> None:
    """Raise ValueError unless the numbers of steps are in order."""
    if least < 1:
        raise ValueError(f"min_steps must be at least 1, got {least}")
    if not least <= most <= len(LABELS):
        raise ValueError(f"max_steps must be from min_steps ({least}) to {len(LABELS)}, got {most}")


def prompt_of(task: Chains, digit: int, operations: Iterable[Operation]) -> str:
    """A chain as text, one operation a line."""
    return "\n".join([f"{task.title}: {digit}", *(f"{label}: {task.word} {term}" for label, term in operations)])


def chain_of(prompt: str) -> Chain:
    """The chain that a prompt states."""
    first, *lines = prompt.split("\n")
    operations = (line.replace(":", "").split() for line in lines)
    return Chain(int(first[-1]), tuple((label, int(term)) for label, _, term in operations))
