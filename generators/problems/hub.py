"""Problems from a Hub dataset, by id, config, split and revision.

The environment decides which Hub is used, and with which token.
"""

from dataclasses import dataclass, field
from typing import Any

from filters.rules import Filtered
from generators.problems.source import ColumnMapping, Entry, SourceError, check_columns, map_columns
from generators.problems.span import Span


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
        label = f"Hub dataset {self.dataset} (config {self.config or 'default'}, split {self.split})"
        rows = self._load(label)
        indexes = range(len(rows))[self.span.rows]
        if not indexes:
            raise SourceError(f"{label} has {len(rows)} rows, none at offset {self.span.offset}: lower the offset")
        heads = self.columns.heads(rows.column_names)
        if not set(heads) <= set(rows.column_names):
            check_columns([rows[indexes[0]]], self.columns, label)
        chosen = list(rows.select_columns(heads).select(indexes))
        check_columns(chosen, self.columns, label)
        entries = [Entry(f"row {index + 1}", row) for index, row in zip(indexes, chosen, strict=True)]
        return map_columns(entries, self.columns)

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
