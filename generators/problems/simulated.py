"""The problems of the simulated policy, for trying out the pipeline without a model."""

from dataclasses import dataclass

from filters.rules import Filtered
from generators.engine.simulated.statement import SimulatedProblems
from generators.problems.source import ColumnMapping, Entry, map_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSource:
    """`size` running sums with `min_steps` to `max_steps` steps."""

    name: str
    size: int
    min_steps: int = 5
    max_steps: int = 14
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"size must be at least 1, got {self.size}")
        self._problems()

    @property
    def has_answers(self) -> bool:
        """Always: every sum has an answer."""
        return True

    def fingerprint(self) -> str:
        """Nothing: the settings determine the problems."""
        return ""

    def candidates(self) -> Filtered:
        """Generate the problems."""
        problems = (self._problems().problem(index) for index in range(self.size))
        entries = [
            Entry(f"item {index}", {"prompt": problem.prompt, "answer": problem.answer, "level": problem.level})
            for index, problem in enumerate(problems)
        ]
        return map_columns(entries, ColumnMapping(level="level"))

    def _problems(self) -> SimulatedProblems:
        return SimulatedProblems(min_steps=self.min_steps, max_steps=self.max_steps, seed=self.seed)
