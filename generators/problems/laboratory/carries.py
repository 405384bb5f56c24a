"""Column addition: the columns of two numbers from the units up, with a carry that the policy gets wrong at times.

The step `(b): 7, 5, 1 is 13; 2` adds a column and the carry before it, and counts the carries so far. Their number is
the answer.
"""

import random
import re
from dataclasses import dataclass, field

from generators.problems.laboratory.chains import LABELS, check_steps
from generators.problems.laboratory.facts import Beliefs
from generators.problems.laboratory.law import Move

Column = tuple[str, int, int]  # its label and its digits

_STEP = re.compile(r"(\(\w\)): (\d), (\d), \d is ([01])\d; (\d)")
_SECOND = (3, 7)  # the digits of the second number, so that half of the columns have a carry


@dataclass(frozen=True, slots=True)
class Sum:
    """The carry, the number of carries so far, and the columns still to come."""

    carry: int
    count: int
    rest: tuple[Column, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Carries:
    """Sums of `min_steps` to `max_steps` columns; about some columns the policy believes in the other carry."""

    min_steps: int = 4
    max_steps: int = 8
    beliefs: Beliefs = field(default_factory=lambda: Beliefs(rate=0.6, seed=3))

    title = "Carry"
    notice = 0.0

    def __post_init__(self) -> None:
        check_steps(self.min_steps, self.max_steps)

    def draw(self, draw: random.Random) -> str:
        """Columns of any digits in the first number, and of middling ones in the second."""
        labels = LABELS[: draw.randint(self.min_steps, self.max_steps)]
        columns = (f"{label}: {draw.randint(0, 9)}, {draw.randint(*_SECOND)}" for label in labels)
        return "\n".join([f"{self.title}:", *columns])

    def begin(self, prompt: str) -> Sum:
        """No carry, and all columns to come."""
        _, *lines = prompt.split("\n")
        parts = (line.replace(":", "").replace(",", "").split() for line in lines)
        return Sum(0, 0, tuple((label, int(first), int(second)) for label, first, second in parts))

    def moves(self, so_far: Sum) -> tuple[Move[Sum], ...]:
        """The next column, and the same one with the carry that is believed."""
        if not so_far.rest:
            return ()
        _, first, second = so_far.rest[0]
        carried = (first + second + so_far.carry) // 10
        text, state = _added(so_far, carried)
        if not self.beliefs.is_held(f"{first} {second} {so_far.carry}"):
            return (Move(text, 1.0, state),)
        rate, (false, wrong) = self.beliefs.rate, _added(so_far, 1 - carried)
        return (Move(text, 1 - rate, state), Move(false, rate, wrong, is_right=False))

    def read(self, so_far: Sum, line: str) -> Sum | None:
        """A line about the next column leads to the carry and the count that it states."""
        step = _STEP.fullmatch(line)
        if step is None or not so_far.rest or (step[1], int(step[2]), int(step[3])) != so_far.rest[0]:
            return None
        return Sum(int(step[4]), int(step[5]), so_far.rest[1:])

    def answer(self, so_far: Sum) -> str:
        """The number of carries."""
        return str(so_far.count)

    def level(self, prompt: str) -> str:
        """The number of columns."""
        return str(prompt.count("\n"))


def _added(so_far: Sum, carried: int) -> tuple[str, Sum]:
    """The line that adds the next column with a carry of `carried`, and the state after it."""
    label, first, second = so_far.rest[0]
    total, count = 10 * carried + (first + second + so_far.carry) % 10, so_far.count + carried
    text = f"{label}: {first}, {second}, {so_far.carry} is {total:02}; {count}"
    return text, Sum(carried, count, so_far.rest[1:])
