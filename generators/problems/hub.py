"""Problems out of a Hub dataset, by id, config, split and revision.

Knows nothing of what makes an answer right; which Hub is asked, and with which token, the environment says.
"""

from dataclasses import dataclass, field
from typing import Any

from filters.rules import Filtered
from generators.problems.source import ColumnMapping, Entry, SourceError, map_columns
from generators.problems.span import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class HubProblems:
    """A split of a Hub dataset; name a `revision` (tag or commit) to have the same rows tomorrow."""

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
        """Whether the columns name answers."""
        return self.columns.has_answers

    def candidates(self) -> Filtered:
        """Download the split, or take it from the cache; raises SourceError where it cannot be had."""
        place = f"Hub dataset {self.dataset} (config {self.config or 'default'}, split {self.split})"
        rows = self._load(place)
        self.columns.check(rows.column_names, place)
        wanted = range(len(rows))[self.span.rows]
        if not wanted:
            raise SourceError(f"{place} has {len(rows)} rows, none at offset {self.span.offset}: lower the offset")
        chosen = rows.select_columns([*self.columns.mapped.values()]).select(wanted)
        entries = [Entry(f"row {number + 1}", row) for number, row in zip(wanted, chosen, strict=True)]
        return map_columns(entries, self.columns)

    def _load(self, place: str) -> Any:
        from datasets import load_dataset
        from datasets.exceptions import DatasetGenerationError

        try:
            return load_dataset(
                self.dataset, name=self.config, split=self.split, revision=self.revision, cache_dir=self.cache_dir
            )
        except (OSError, ValueError, DatasetGenerationError) as error:
            reason = str(error).partition("\n")[0]
            remedy = "check id, config, split, revision, and the network or token that it needs"
            raise SourceError(f"{place} cannot be loaded ({reason}): {remedy}") from error
