"""Problems that reasoning-gym makes up: any number of them, the same ones for the same seed, nothing downloaded.

Knows nothing of the tasks but their names. Tasks whose problems have many right answers score by a function of their
own; those do not suit a source whose one gold answer decides.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from filters.rules import Filtered
from generators.problems.source import ColumnMapping, Entry, SourceError, map_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class ProceduralProblems:
    """`size` problems of a reasoning-gym task; `levels` are the task's own settings, such as `min_digits`."""

    name: str
    task: str
    size: int
    seed: int = 0
    levels: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("name", "task"):
            if not getattr(self, name):
                raise ValueError(f"{name} must not be empty, got ''")
        if self.size < 1:
            raise ValueError(f"size must be at least 1, got {self.size}")

    @property
    def has_answers(self) -> bool:
        """Every task answers its own problems."""
        return True

    def candidates(self) -> Filtered:
        """Make the problems; raises SourceError for an unknown task, or levels that it refuses."""
        entries = [_entry(index, made) for index, made in enumerate(self._dataset())]
        return map_columns(entries, ColumnMapping(level="level"))

    def _dataset(self) -> Iterable[Mapping[str, Any]]:
        # Imported here, since it takes seconds and brings matplotlib along.
        from reasoning_gym.factory import DATASETS, create_dataset

        if self.task not in DATASETS:
            near = ", ".join(get_close_matches(self.task, DATASETS, n=3, cutoff=0.4)) or "chain_sum"
            raise SourceError(f"reasoning-gym has no task {self.task!r}: set task to a name such as {near}")
        try:
            made: Iterable[Mapping[str, Any]] = create_dataset(self.task, size=self.size, seed=self.seed, **self.levels)
        except (TypeError, ValueError, AssertionError) as error:
            raise SourceError(f"reasoning-gym task {self.task!r} refuses its levels ({error}): correct them") from error
        return made


def _entry(index: int, made: Mapping[str, Any]) -> Entry:
    level = _level(made["metadata"])
    return Entry(f"item {index}", {"prompt": made["question"], "answer": made["answer"], "level": level})


def _level(metadata: Mapping[str, Any]) -> str | None:
    """What this one problem was made with, of the settings that the task varies; null where it varies none."""
    varied = metadata.get("difficulty")
    if not isinstance(varied, Mapping):
        return None
    return ", ".join(f"{name}={metadata.get(name, bounds)}" for name, bounds in varied.items()) or None
