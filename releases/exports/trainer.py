"""What an export knows of a trainer: for each shape, how it reads the rows, or why it cannot."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from shlex import quote

import polars as pl

from releases.exports.names import TrainerName
from releases.exports.rows import as_they_are, parquet_files
from releases.exports.shapes import Shape

TRAIN, TEST = "train", "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is trained: the rows of one config by split, and the policy that wrote them.

    No row has more than `longest` tokens in a tokenizer of bytes, the chat template included.
    """

    dataset: str
    policy: str
    splits: Mapping[str, pl.DataFrame]
    longest: int

    @property
    def model(self) -> str:
        """The policy as a word of a shell's command, whatever the manifest calls it."""
        return quote(self.policy)

    @property
    def has_test(self) -> bool:
        """Whether there are rows to evaluate on."""
        return TEST in self.splits


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a trainer reads one shape.

    `rows` gives the columns that its loader wants, `write` the files of the rows, and `files` the files beside them.
    `command` runs in the folder of the export. `notes` are sentences of its README.
    """

    method: str
    command: Callable[[Task], str]
    rows: Callable[[pl.DataFrame], pl.DataFrame] = as_they_are
    files: Callable[[Task], Mapping[str, str]] = lambda _: {}
    write: Callable[[Mapping[str, pl.DataFrame]], Iterator[tuple[str, bytes]]] = parquet_files
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainer:
    """A trainer: its layouts by shape, and for every other shape the reason why it cannot train on it."""

    name: TrainerName
    title: str
    layouts: Mapping[Shape, Layout]
    refusals: Mapping[Shape, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        undecided = [shape for shape in Shape if (shape in self.layouts) == (shape in self.refusals)]
        if undecided:
            raise ValueError(f"{self.title} must either read or refuse {', '.join(undecided)}")
