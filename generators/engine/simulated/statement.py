"""The problems that the simulated policy solves: running sums modulo 100 in plain text.

A statement can be parsed back out of any prompt that quotes it.
"""

import hashlib
import random
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from generators.records import Problem

SOURCE = "simulated"
MODULUS = 100
_STATEMENT = re.compile(r"Start with ([0-9]{1,2})\.((?: Add [0-9]{1,2}\.)+) Give the total modulo 100\.")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A start and the numbers to add to it, one per step; all are from 0 to 99."""

    start: int
    addends: tuple[int, ...]

    @cached_property
    def totals(self) -> tuple[int, ...]:
        """The true running totals: `totals[k]` is the total after `k` steps, `totals[0]` the start."""
        return tuple(accumulate(self.addends, lambda total, addend: (total + addend) % MODULUS, initial=self.start))

    @cached_property
    def text(self) -> str:
        """The problem as plain text."""
        adding = "".join(f" Add {addend}." for addend in self.addends)
        return f"Start with {self.start}.{adding} Give the total modulo 100."

    @property
    def answer(self) -> int:
        return self.totals[-1]

    @classmethod
    def find(cls, text: str) -> "Statement | None":
        """The last statement in `text`, or None."""
        matches = list(_STATEMENT.finditer(text))
        if not matches:
            return None
        match = matches[-1]
        return cls(start=int(match[1]), addends=tuple(int(addend) for addend in re.findall(r"[0-9]+", match[2])))


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedProblems:
    """An endless, seeded source of statements of `min_steps` to `max_steps` steps."""

    min_steps: int = 5
    max_steps: int = 14
    seed: int = 0

    def __post_init__(self) -> None:
        if self.min_steps < 1:
            raise ValueError(f"min_steps must be at least 1, got {self.min_steps}")
        if self.max_steps < self.min_steps:
            raise ValueError(f"max_steps must be at least min_steps={self.min_steps}, got {self.max_steps}")

    def statement(self, index: int) -> Statement:
        """Statement `index`; the same on every machine."""
        draw = random.Random(f"{self.seed}/{index}")
        n_steps = draw.randint(self.min_steps, self.max_steps)
        addends = tuple(draw.randint(1, MODULUS - 1) for _ in range(n_steps))
        return Statement(start=draw.randrange(MODULUS), addends=addends)

    def problem(self, index: int) -> Problem:
        """Statement `index` with its answer, as a problem of the source `simulated`; the level is its step count."""
        statement = self.statement(index)
        answer = str(statement.answer)
        content = f"{SOURCE}\n{statement.text}\n{answer}".encode()
        return Problem(
            problem_id=hashlib.blake2b(content, digest_size=16).hexdigest(),
            source=SOURCE,
            prompt=statement.text,
            answer=answer,
            level=str(len(statement.addends)),
        )
