"""Problems from a Hub dataset, by id, config, split and revision.

The environment decides which Hub is used, and with which token.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from filters.rules import Filtered
from generators.problems.source import ColumnMapping, Entry, SourceError, map_chunks
from generators.problems.span import Span
from generators.problems.streams import CHUNK


@dataclass(frozen=True, slots=True, kw_only=True)
class HubProblems:
    """A split of a Hub dataset; set a `revision` (tag or commit) to get the same rows every time."""

    name: str
    dataset: str
    config: str | None = None
    split: str = "train"
    revision: str | None = None
    columns: ColumnMapping = field(default_factory=ColumnMapping)
    span: Span = field(default_factory=Span)
    cache_dir: str | None = None

    def __post_init__(self) -> None:
        for name in ("name", "dataset", "split"):
            if not getattr(self, name):
                raise ValueError(f"{name} must not be empty, got ''")

    @property
    def has_answers(self) -> bool:
        """Whether an answer column is read."""
        return self.columns.has_answers

    def candidates(self) -> Filtered:
        """Load the split from the cache or the Hub; raises SourceError if that fails."""
        label = self._label
        rows = self._load(label)
        indexes = range(len(rows))[self.span.rows]
        if not indexes:
            raise SourceError(f"{label} has {len(rows)} rows, none at offset {self.span.offset}: lower the offset")
        heads = self.columns.heads(rows.column_names)
        chosen = rows.select_columns(heads) if set(heads) <= set(rows.column_names) else rows
        return map_chunks(_pieces(chosen, indexes), self.columns, label)

    def fingerprint(self) -> str:
        """What the library that caches the split knows it by; raises SourceError."""
        return str(self._load(self._label)._fingerprint)

    @property
    def _label(self) -> str:
        return f"Hub dataset {self.dataset} (config {self.config or 'default'}, split {self.split})"

    def _load(self, label: str) -> Any:
        from datasets import load_dataset
        from datasets.exceptions import DatasetGenerationError

        try:
            return load_dataset(
                self.dataset, name=self.config, split=self.split, revision=self.revision, cache_dir=self.cache_dir
            )
        except (OSError, ValueError, DatasetGenerationError) as error:
            reason = str(error).partition("\n")[0]
            remedy = "check id, config, split, revision, and the network or token that it needs"
            raise SourceError(f"{label} cannot be loaded ({reason}): {remedy}") from error


def _pieces(rows: Any, indexes: range) -> Iterator[list[Entry]]:
    """The rows at some places, a few thousand at a time; the table itself lies in the cache on disk."""
    for start in range(indexes.start, indexes.stop, CHUNK):
        places = range(start, min(start + CHUNK, indexes.stop))
        yield [Entry(f"row {place + 1}", row) for place, row in zip(places, rows.select(places), strict=True)]
