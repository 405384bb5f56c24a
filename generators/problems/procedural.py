"""Problems that a program makes: any number of them, reproducible by seed, with nothing to download.

The task `chain_sum` is our own; the others are those of reasoning-gym, an optional package. Its tasks whose problems
have many right answers score by their own function, so they do not fit a source that has a single gold answer.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.metadata import version
from typing import Any
from warnings import catch_warnings

from filters.rules import Filtered
from generators.problems.chain_sums import ChainSums
from generators.problems.source import ColumnMapping, Entry, SourceError, map_columns

OWN = {"chain_sum": ChainSums}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProceduralProblems:
    """`size` problems of a task; `levels` are the task's own settings, such as `min_digits`.

    `chain_sum` is there by itself; the tasks of reasoning-gym need `stepmill[reasoning-gym]`.
    """

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
        """Always: every task answers its own problems."""
        return True

    def fingerprint(self) -> str:
        """The version of the package that makes the problems; blank for those of our own. Raises SourceError."""
        if self.task in OWN:
            return ""
        self._reasoning_gym()
        return f"reasoning-gym {version('reasoning-gym')}"

    def candidates(self) -> Filtered:
        """Generate the problems; raises SourceError for an unknown task or levels that it refuses."""
        return map_columns(self._entries(), ColumnMapping(level="level"))

    def _entries(self) -> Iterable[Entry]:
        try:
            if self.task in OWN:
                return OWN[self.task](**self.levels).entries(self.size, self.seed)
            create = self._reasoning_gym()
            rows: Iterable[Mapping[str, Any]] = create(self.task, size=self.size, seed=self.seed, **self.levels)
        except (TypeError, ValueError, AssertionError) as error:
            raise SourceError(f"task {self.task!r} refuses its levels ({error}): correct them") from error
        return [_entry(index, item) for index, item in enumerate(rows)]

    def _reasoning_gym(self) -> Callable[..., Any]:
        """The function that makes the package's tasks; raises SourceError if it is missing or lacks the task."""
        # Imported here, since the import takes seconds. A package below it warns of its own syntax when it is
        # compiled, which no user can mend.
        try:
            with catch_warnings(action="ignore", category=SyntaxWarning):
                from reasoning_gym.factory import DATASETS, create_dataset
        except ImportError as missing:
            raise SourceError(
                f"task {self.task!r} needs reasoning-gym ({missing}): pip install 'stepmill[reasoning-gym]', "
                f"or set task to {' or '.join(OWN)}"
            ) from missing
        if self.task not in DATASETS:
            near = ", ".join(get_close_matches(self.task, [*OWN, *DATASETS], n=3, cutoff=0.4)) or next(iter(OWN))
            raise SourceError(f"reasoning-gym has no task {self.task!r}: set task to a name such as {near}")
        create: Callable[..., Any] = create_dataset
        return create


def _entry(index: int, item: Mapping[str, Any]) -> Entry:
    level = _level(item["metadata"])
    return Entry(f"item {index}", {"prompt": item["question"], "answer": item["answer"], "level": level})


def _level(metadata: Mapping[str, Any]) -> str | None:
    """The problem's values of the settings that the task varies; None if it varies none."""
    varied = metadata.get("difficulty")
    if not isinstance(varied, Mapping):
        return None
    return ", ".join(f"{name}={metadata.get(name, bounds)}" for name, bounds in varied.items()) or None
