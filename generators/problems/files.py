"""Problems from files, local or in an object store: one file, those that a glob matches, or those of a folder."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from upath import UPath
from xxhash import xxh3_128

from filters.rules import Filtered
from generators.problems.rows import SUFFIXES, Unreadable, suffix_of
from generators.problems.source import ColumnMapping, Entry, SourceError, map_chunks
from generators.problems.span import Span
from generators.problems.streams import chunks, content_tag, rows_of

_GLOB = re.compile(r"[*?\[]")
_SPLIT = re.compile(r"(?<![a-z])(train|test|validation|valid|dev|eval)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProblems:
    """A file of problems, whose suffix gives the format; a glob or a folder is all of its files, by their names.

    `span` counts rows in the order of the files.
    """

    name: str
    path: str
    columns: ColumnMapping = field(default_factory=ColumnMapping)
    span: Span = field(default_factory=Span)

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("name must not be empty, got ''")
        last = self.path.rstrip("/").rpartition("/")[2]
        if suffix_of(self.path) is None and "." in last and not _GLOB.search(last) and not UPath(self.path).is_dir():
            raise ValueError(f"path must end in one of {', '.join(SUFFIXES)}, or be a folder, got {self.path!r}")

    @property
    def has_answers(self) -> bool:
        """Whether an answer column is read."""
        return self.columns.has_answers

    def candidates(self) -> Filtered:
        """Read the files; raises SourceError if they are missing, empty or unreadable, or lack a mapped column."""
        seen = 0

        def counted() -> Iterator[Entry]:
            nonlocal seen
            for entry in self.entries(mapped=True):
                seen += 1
                yield entry

        found = map_chunks(chunks(self.span.of(counted())), self.columns, self._label)
        if not found.kept.height + found.dropped.height:
            raise SourceError(f"{self._label} has {seen} rows, none at offset {self.span.offset}: lower the offset")
        return found

    def fingerprint(self) -> str:
        """The names of the files and what is in them; raises SourceError."""
        digest = xxh3_128()
        for path in self.paths():
            with self._explained(path):
                digest.update(f"{path.name}\n{content_tag(path)}\n".encode())
        return digest.hexdigest()

    def entries(self, *, mapped: bool = False) -> Iterator[Entry]:
        """Every row as it is; raises SourceError if a file is missing or unreadable, or if all are empty.

        Of a Parquet file, only `mapped` columns may be wanted.
        """
        paths, is_empty = self.paths(), True
        for path in paths:
            for entry in self._rows(path, self.columns if mapped else None):
                is_empty = False
                yield entry if len(paths) == 1 else replace(entry, origin=f"{path.name} {entry.origin}")
        if is_empty:
            raise SourceError(f"{self._label} is empty: give a file with at least one problem, or take the source out")

    def paths(self) -> list[UPath]:
        """The files, in the order of their names; raises SourceError if there is none, or if they are not one table."""
        path = UPath(self.path)
        pattern = _GLOB.search(self.path)
        if not pattern and suffix_of(self.path) and not path.is_dir():
            return [path]
        folder = self.path[: pattern.start()].rpartition("/")[0] if pattern else self.path
        root = UPath(folder or ("/" if self.path.startswith("/") else "."))
        rest = self.path[len(folder) :].lstrip("/") if pattern else "**/*"
        found = sorted((each for each in root.glob(rest) if each.is_file()), key=str)
        readable = [each for each in found if suffix_of(each.name)]
        if not readable:
            there = f"only {found[0].name} and the like" if found else "nothing"
            raise SourceError(
                f"{self._label} does not exist: there is {there}; correct the path of source {self.name!r} to a "
                f"file, a glob or a folder of {', '.join(SUFFIXES)}"
            )
        if not pattern:
            self._refuse_mixture(readable)
        return readable

    def _refuse_mixture(self, paths: list[UPath]) -> None:
        """A folder is one table: files of one format, of one split."""
        for kind, names in {
            "formats": {suffix_of(path.name) for path in paths},
            "splits": {split[1].lower() for path in paths if (split := _SPLIT.search(path.name))},
        }.items():
            if len(names) > 1:
                example = paths[0].name.replace("-00000-", "-*-")
                raise SourceError(
                    f"{self._label} is a folder with files of several {kind} ({', '.join(sorted(map(str, names)))}): "
                    f"name those to read by a glob, such as {self.path.rstrip('/')}/{example}"
                )

    @property
    def _label(self) -> str:
        return f"problem file {self.path}"

    def _rows(self, path: UPath, columns: ColumnMapping | None) -> Iterator[Entry]:
        with self._explained(path):
            yield from rows_of(path, str(suffix_of(path.name)), columns)

    @contextmanager
    def _explained(self, path: UPath) -> Iterator[None]:
        """Raise SourceError for a file that cannot be read."""
        label = f"problem file {path}"
        try:
            yield
        except FileNotFoundError:
            raise SourceError(f"{label} does not exist: correct the path of source {self.name!r}") from None
        except OSError as error:
            raise SourceError(f"{label} cannot be read ({error.strerror or error}): check its permissions") from error
        except Unreadable as error:
            suffix = str(suffix_of(path.name)).lstrip(".")
            raise SourceError(f"{label} cannot be read as {suffix} ({error}): mend the file") from error
