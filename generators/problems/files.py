"""Problems from a JSONL, Parquet or CSV file, local or in an object store.

A broken line costs only that line.
"""

import io
import json
from dataclasses import dataclass, field

import polars as pl
from upath import UPath

from filters.rules import Filtered
from generators.problems.source import ColumnMapping, Entry, SourceError, map_columns
from generators.problems.span import Span

_SUFFIXES = (".jsonl", ".parquet", ".csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProblems:
    """A file of problems, whose suffix gives the format; `span` counts rows in the order of the file."""

    name: str
    path: str
    columns: ColumnMapping = field(default_factory=ColumnMapping)
    span: Span = field(default_factory=Span)

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("name must not be empty, got ''")
        if UPath(self.path).suffix not in _SUFFIXES:
            raise ValueError(f"path must end in one of {', '.join(_SUFFIXES)}, got {self.path!r}")

    @property
    def has_answers(self) -> bool:
        """Whether an answer column is read."""
        return self.columns.has_answers

    def candidates(self) -> Filtered:
        """Read the file; raises SourceError if it is missing, empty or unreadable, or lacks a mapped column."""
        label, entries = self._label, self.entries()
        selected = entries[self.span.rows]
        if not selected:
            raise SourceError(f"{label} has {len(entries)} rows, none at offset {self.span.offset}: lower the offset")
        rows = [entry.fields for entry in selected if entry.fields is not None]
        if not rows:
            first = selected[0]
            raise SourceError(f"{label} has no readable row ({first.origin}: {first.reason}): mend the file")
        self.columns.check((name for fields in rows for name in fields), label)
        return map_columns(selected, self.columns)

    def entries(self) -> list[Entry]:
        """Every row of the file as it is; raises SourceError if it is missing, empty or unreadable."""
        label = self._label
        content = self._content(label)
        entries = _json_lines(content) if self.path.endswith(".jsonl") else _table(content, self.path, label)
        if not entries:
            raise SourceError(f"{label} is empty: give a file with at least one problem, or take the source out")
        return entries

    @property
    def _label(self) -> str:
        return f"problem file {self.path}"

    def _content(self, label: str) -> bytes:
        try:
            return UPath(self.path).read_bytes()
        except FileNotFoundError:
            raise SourceError(f"{label} does not exist: correct the path of source {self.name!r}") from None
        except OSError as error:
            raise SourceError(f"{label} cannot be read ({error.strerror or error}): check its permissions") from error


def _json_lines(content: bytes) -> list[Entry]:
    lines = enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1)
    return [_entry(f"line {number}", line) for number, line in lines if line.strip()]


def _entry(origin: str, line: bytes) -> Entry:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return Entry(origin, None, "broken_line")
    return Entry(origin, value) if isinstance(value, dict) else Entry(origin, None, "not_an_object")


def _table(content: bytes, path: str, label: str) -> list[Entry]:
    if not content.strip():
        return []
    buffer = io.BytesIO(content)
    try:
        frame = pl.read_parquet(buffer) if path.endswith(".parquet") else pl.read_csv(buffer, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        reason = str(error).partition("\n")[0]
        raise SourceError(f"{label} cannot be read as {path.rpartition('.')[2]} ({reason}): mend the file") from error
    return [Entry(f"row {number}", row) for number, row in enumerate(frame.iter_rows(named=True), start=1)]
