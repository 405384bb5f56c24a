"""Rows on their way through this machine: written to a temporary folder block by block, and read back as `Rows`.

The folder goes when nothing refers to its rows any more, and at the latest when the process ends.
"""

import shutil
import weakref
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import polars as pl

from generators.rows import BLOCK_BYTES, BLOCK_ROWS, Rows


class Scratch:
    """A temporary folder; `TMPDIR` says where, if the usual place is too small or is memory."""

    def __init__(self) -> None:
        self._folder = Path(mkdtemp(prefix="stepmill-rows-"))
        self._numbers = count()
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def file(self) -> Path:
        """A path that nothing has been written to."""
        return self._folder / f"{next(self._numbers)}.arrow"


class Spool:
    """Rows that are added piece by piece, whole problems each; small pieces share a file."""

    def __init__(self, scratch: Scratch, *, most_bytes: int = BLOCK_BYTES) -> None:
        self._scratch, self._most_bytes = scratch, most_bytes
        self._files: list[Path] = []
        self._waiting: list[pl.DataFrame] = []
        self.height = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows with the columns of those before."""
        if rows.height:
            self._waiting.append(rows)
            self.height += rows.height
        n_rows = sum(part.height for part in self._waiting)
        if n_rows >= BLOCK_ROWS or sum(part.estimated_size() for part in self._waiting) >= self._most_bytes:
            self._write()

    def rows(self) -> Rows:
        """The rows that were added so far."""
        if self._waiting:
            self._write()
        return Rows(self._read, self.height)

    def _write(self) -> None:
        file = self._scratch.file()
        pl.concat(self._waiting).write_ipc(file, compression="lz4")
        self._files.append(file)
        self._waiting = []

    def _read(self, columns: Sequence[str] | None) -> Iterator[pl.DataFrame]:
        for file in self._files:
            rows = pl.read_ipc(file, columns=list(columns) if columns else None)
            yield rows.select(columns) if columns else rows
