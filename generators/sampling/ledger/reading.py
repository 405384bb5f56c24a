"""Token ids by position, out of the row groups of parts that were read last.

Positions count the rows of all parts in the order in which they were added. What is kept is bounded, whatever the size
of the ledger.
"""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from generators.sampling.ledger.parts import DamagedPart, Part, PartGone, tokens_of
from generators.tokens import TokenIds

KEPT_BYTES = 32 << 20
_OPEN_FILES = 16


class Reader:
    """The parts of a ledger, and the row groups that were read last."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._firsts: list[int] = []
        self._parts: list[Part] = []
        self._end = 0
        self._groups: OrderedDict[tuple[str, int], tuple[np.ndarray, np.ndarray]] = OrderedDict()
        self._bytes = 0
        self._files: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.RLock()

    def add(self, part: Part) -> int:
        """Take in a part; the position of its first row."""
        with self._lock:
            first = self._end
            self._firsts.append(first)
            self._parts.append(part)
            self._end += part.rows
            return first

    def parts(self) -> list[Part]:
        """The parts in their order."""
        with self._lock:
            return sorted(self._parts, key=lambda part: part.name.order)

    def first(self, part: Part) -> int:
        """The position of the first row of a part."""
        with self._lock:
            return self._firsts[self._parts.index(part)]

    def drop(self, parts: list[Part]) -> None:
        """Forget parts whose rows lie in another part."""
        gone = {part.name for part in parts}
        with self._lock:
            left = [(f, p) for f, p in zip(self._firsts, self._parts, strict=True) if p.name not in gone]
            self._firsts, self._parts = [first for first, _ in left], [part for _, part in left]
            for part in parts:
                if (file := self._files.pop(part.name.text, None)) is not None:
                    file.close()

    def read(self, position: int) -> TokenIds:
        """The token ids of a row; raises PartGone or DamagedPart."""
        with self._lock:
            place = bisect_right(self._firsts, position) - 1
            if place < 0 or position - self._firsts[place] >= self._parts[place].rows:
                raise PartGone(f"row {position} was merged into another part: look it up again")
            part, row = self._parts[place], position - self._firsts[place]
            group = bisect_right(part.starts, row) - 1
            values, offsets = self._group(part, group)
            row -= part.starts[group]
            # A copy: a view would keep the whole row group in memory.
            return TokenIds(memoryview(values[offsets[row] : offsets[row + 1]].tobytes()))

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            while self._files:
                self._files.popitem()[1].close()
            self._groups.clear()

    def _group(self, part: Part, group: int) -> tuple[np.ndarray, np.ndarray]:
        name = (part.name.text, group)
        found = self._groups.get(name)
        if found is None:
            table = _explained(part, lambda: self._file(part).read_row_group(group, ["token_ids"], use_threads=False))
            found = self._groups[name] = tokens_of(table)
            self._bytes += _size(found)
            while self._bytes > self._kept_bytes and len(self._groups) > 1:
                self._bytes -= _size(self._groups.popitem(last=False)[1])
        self._groups.move_to_end(name)
        return found

    def _file(self, part: Part) -> Any:
        file = self._files.get(part.name.text)
        if file is None:
            file = self._files[part.name.text] = pq.ParquetFile(part.file, page_checksum_verification=True)
            if len(self._files) > _OPEN_FILES:
                self._files.popitem(last=False)[1].close()
        self._files.move_to_end(part.name.text)
        return file


def _size(group: tuple[np.ndarray, np.ndarray]) -> int:
    return int(group[0].nbytes + group[1].nbytes)


def _explained(part: Part, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except FileNotFoundError as gone:
        raise PartGone(f"{part.path} was merged into another part: run the same command again") from gone
    except (pa.ArrowException, OSError) as error:
        raise DamagedPart(
            f"{part.path} can no longer be read ({error}): check the disk and run the same command again"
        ) from error
