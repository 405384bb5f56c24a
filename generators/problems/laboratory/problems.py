"""The problems of a laboratory task, in three parts that cannot overlap.

The policy learns from the part `policy`, rounds are made of `training`, and what a training gained is measured on
`evaluation`. The hash of its text assigns a problem to a part.
"""

import hashlib
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, get_args

from filters.rules import Filtered
from generators.problems.laboratory.law import Task, outcome
from generators.problems.laboratory.tasks import NAMES, TASKS, TaskName
from generators.problems.source import ColumnMapping, Entry, SourceError, map_columns

Part = Literal["policy", "training", "evaluation"]

_MOST_MISSES = 1000  # give up after this many draws in a row without a new problem


@dataclass(frozen=True, slots=True, kw_only=True)
class LaboratoryProblems:
    """`size` distinct problems of one part of a task; `levels` are the task's own dials, such as `max_steps`."""

    name: str
    task: TaskName
    size: int
    part: Part = "training"
    seed: int = 0
    levels: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("name must not be empty, got ''")
        if self.size < 1:
            raise ValueError(f"size must be at least 1, got {self.size}")
        if self.task not in NAMES:
            raise ValueError(f"task must be one of {', '.join(NAMES)}, got {self.task!r}")
        if self.part not in get_args(Part):
            raise ValueError(f"part must be one of {', '.join(get_args(Part))}, got {self.part!r}")
        for level in self.levels:
            if level not in ("min_steps", "max_steps"):
                raise ValueError(f"levels may have min_steps and max_steps, got {level!r}")
        self._law()

    @property
    def has_answers(self) -> bool:
        """Always: every problem comes with its answer."""
        return True

    def fingerprint(self) -> str:
        """Nothing: the settings determine the problems."""
        return ""

    def candidates(self) -> Filtered:
        """Generate the problems; raises SourceError if the task has fewer."""
        task = self._law()
        entries = [
            Entry(
                f"item {index}",
                {"prompt": prompt, "answer": outcome(task, task.begin(prompt)), "level": task.level(prompt)},
            )
            for index, prompt in enumerate(self.prompts())
        ]
        return map_columns(entries, ColumnMapping(level="level"))

    def prompts(self) -> list[str]:
        """The prompts; the same on every machine. Raises SourceError if the task has fewer."""
        prompts = list(islice(self._distinct(), self.size))
        if len(prompts) < self.size:
            raise SourceError(
                f"size of source {self.name} must be at most {len(prompts)} with levels {dict(self.levels)}, "
                f"got {self.size}"
            )
        return prompts

    def _law(self) -> Task[Any]:
        return TASKS[self.task](**self.levels)

    def _distinct(self) -> Iterator[str]:
        task, draw = self._law(), random.Random(f"{self.seed}/{self.task}/{self.part}")
        seen, misses = set[str](), 0
        while misses < _MOST_MISSES:
            prompt = task.draw(draw)
            if part_of(prompt) == self.part and prompt not in seen:
                seen.add(prompt)
                misses = 0
                yield prompt
            else:
                misses += 1


def part_of(prompt: str) -> Part:
    """The part that a problem belongs to: half of them are the policy's, a quarter each for the other two."""
    place = hashlib.blake2b(prompt.encode()).digest()[0]
    return "policy" if place < 128 else "training" if place < 192 else "evaluation"
