"""The index of a ledger: where each rollout lies, in compact sorted arrays.

A rollout takes 13 bytes and its key 20, so ten million rollouts of 16 a key take some 140 MB. New rows come in
segments, which are merged so that each is at least four times as large as the next: a look-up searches a few of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from generators.sampling.ledger.law import Stored, Version, standing
from generators.sampling.ledger.rows import Rows, code_of

_GROWTH = 4


class Located(NamedTuple):
    """Where a rollout lies, counted in rows over all parts; its length and the number of its reason."""

    position: int
    length: int
    finish: int


@dataclass(slots=True)
class Segment:
    """Rollouts sorted by key and index; the rows of key number k are those from `starts[k]` to `starts[k + 1]`."""

    high: np.ndarray
    low: np.ndarray
    starts: np.ndarray
    index: np.ndarray
    position: np.ndarray
    length: np.ndarray
    finish: np.ndarray

    @classmethod
    def of_sorted(cls, rows: Rows, position: np.ndarray) -> "Segment":
        """The segment of rows that are sorted, each key and index once."""
        is_new = np.ones(len(rows), dtype=bool)
        is_new[1:] = (rows.high[1:] != rows.high[:-1]) | (rows.low[1:] != rows.low[:-1])
        first = np.flatnonzero(is_new)
        starts = np.append(first, len(rows)).astype(np.uint32)
        return cls(rows.high[first], rows.low[first], starts, rows.index, position, rows.length, rows.finish)

    def __len__(self) -> int:
        return len(self.index)

    def find(self, high: int, low: int, index: int) -> Located | None:
        """The rollout of a key and index, if it is here."""
        key = int(np.searchsorted(self.high, np.uint64(high)))
        while key < len(self.high) and self.high[key] == high:
            if self.low[key] == low:
                start, end = int(self.starts[key]), int(self.starts[key + 1])
                place = start + int(np.searchsorted(self.index[start:end], np.uint32(index)))
                if place < end and self.index[place] == index:
                    return Located(int(self.position[place]), int(self.length[place]), int(self.finish[place]))
                return None
            key += 1
        return None

    def rows(self) -> Rows:
        """The rows in their order."""
        counts = np.diff(self.starts)
        high, low = np.repeat(self.high, counts), np.repeat(self.low, counts)
        return Rows(high, low, self.index, self.length, np.zeros_like(self.length), self.finish)

    @property
    def nbytes(self) -> int:
        """The size of the arrays."""
        return sum(int(getattr(self, name).nbytes) for name in self.__slots__)


class Index:
    """Which row stands for each key and index. `contested` are positions of rows of keys and indexes that differ."""

    def __init__(self, rows: Rows, read: Callable[[int], Stored]) -> None:
        """The index of rows in the order of their parts; rows that have a key and index in common are resolved."""
        position = np.arange(len(rows), dtype=np.uint32)
        order = np.lexsort((rows.index, rows.low, rows.high))
        stands, self.contested = _resolved(rows, order, read)
        self._segments = [Segment.of_sorted(_taken(rows, stands), position[stands])]
        self._rollouts = len(stands)

    def __len__(self) -> int:
        return self._rollouts

    def find(self, digest: str, index: int) -> Located | None:
        """Where the rollout of a key and index lies, if there is one."""
        high, low = code_of(digest)
        for segment in reversed(self._segments):
            located = segment.find(high, low, index)
            if located is not None:
                return located
        return None

    def add(self, rows: Rows, first_position: int, *, new: int) -> None:
        """Take in the rows of a part that was written; `new` of them have a key and index that was not here."""
        order = np.lexsort((rows.index, rows.low, rows.high))
        position = (first_position + order).astype(np.uint32)
        self._segments.append(Segment.of_sorted(_taken(rows, order), position))
        self._rollouts += new
        while len(self._segments) > 1 and len(self._segments[-2]) < _GROWTH * len(self._segments[-1]):
            newer, older = self._segments.pop(), self._segments.pop()
            self._segments.append(_merged(newer, older))

    def is_used(self, first: int, count: int) -> np.ndarray:
        """Which of `count` rows from position `first` on a merged part must keep."""
        used = np.zeros(count, dtype=bool)
        for positions in self._positions():
            here = positions[(positions >= first) & (positions < first + count)]
            used[here - first] = True
        return used

    def move(self, first: int, moved: np.ndarray) -> None:
        """Give the rows from position `first` on their new positions."""
        for positions in self._positions():
            here = (positions >= first) & (positions < first + len(moved))
            positions[here] = moved[positions[here] - first]

    def _positions(self) -> Iterator[np.ndarray]:
        yield from (segment.position for segment in self._segments)
        yield self.contested

    @property
    def nbytes(self) -> int:
        """The memory that the index takes."""
        return sum(segment.nbytes for segment in self._segments) + int(self.contested.nbytes)


def _taken(rows: Rows, places: np.ndarray) -> Rows:
    return Rows(*(getattr(rows, name)[places] for name in Rows.__slots__))


def _merged(newer: Segment, older: Segment) -> Segment:
    rows = Rows.concatenated([newer.rows(), older.rows()])
    position = np.concatenate([newer.position, older.position])
    order = np.lexsort((rows.index, rows.low, rows.high))
    order = order[_is_first(rows, order)]
    return Segment.of_sorted(_taken(rows, order), position[order])


def _is_first(rows: Rows, order: np.ndarray) -> np.ndarray:
    """Which of the sorted rows are the first of their key and index."""
    first = np.ones(len(order), dtype=bool)
    columns = (rows.high[order], rows.low[order], rows.index[order])
    first[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return first


def _resolved(rows: Rows, order: np.ndarray, read: Callable[[int], Stored]) -> tuple[np.ndarray, np.ndarray]:
    """The positions that stand, sorted by key and index, and those of rows that differ from one another."""
    starts = np.flatnonzero(_is_first(rows, order))
    ends = np.append(starts[1:], len(order))
    stands = order[starts]
    contested: list[int] = []
    for group in np.flatnonzero(ends - starts > 1):
        positions = [int(position) for position in order[starts[group] : ends[group]]]
        best, differ = standing([_version(rows, position, read) for position in positions])
        stands[group] = positions[best]
        if differ:  # all different rows stay; of equal ones the first
            versions = [read(position) for position in reversed(positions)]
            contested += dict(zip(versions, reversed(positions), strict=True)).values()
    return stands, np.array(contested, dtype=np.uint32)


def _version(rows: Rows, position: int, read: Callable[[int], Stored]) -> Version:
    return Version(int(rows.length[position]), int(rows.extends[position]), lambda: read(position))
