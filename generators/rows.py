"""Rows that do not fit in memory: read block by block, as often as they are asked for.

A block ends between two problems. What follows from the rows of one problem alone follows from each block in turn.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

BLOCK_ROWS = 1_000
BLOCK_BYTES = 32_000_000
PROBLEM = "problem_id"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of which `read` yields the blocks in order, with the named columns or with all."""

    read: Callable[[Sequence[str] | None], Iterable[pl.DataFrame]]
    height: int

    @classmethod
    def of(cls, frame: pl.DataFrame) -> "Rows":
        """Rows that are in memory already."""
        return cls(lambda columns: blocks_of(frame, columns), frame.height)

    @classmethod
    def chained(cls, parts: Sequence["Rows"]) -> "Rows":
        """The rows of each part after those of the part before."""
        return cls(
            lambda columns: (block for part in parts for block in part.read(columns)),
            sum(part.height for part in parts),
        )

    def blocks(self, *columns: str) -> Iterator[pl.DataFrame]:
        """Yield the rows block by block, with these columns or, if none is named, with all."""
        yield from self.read(columns or None)

    def only(self, *columns: str) -> pl.DataFrame:
        """These columns of all rows, in memory: name those that hold a word or a number, not tokens or texts."""
        return pl.concat(self.blocks(*columns))

    def head(self, n: int) -> pl.DataFrame:
        """The first rows."""
        return self.take(range(min(n, self.height)))

    def spread(self, n: int) -> pl.DataFrame:
        """Some rows at equal distances."""
        return self.take(range(0, self.height, max(1, self.height // n))[:n])

    def take(self, numbers: Sequence[int], *columns: str) -> pl.DataFrame:
        """The rows of these numbers, which ascend; with the named columns or with all."""
        taken, start = [], 0
        for block in self.blocks(*columns):
            taken.append(block[[number - start for number in numbers if start <= number < start + block.height]])
            start += block.height
            if not numbers or start > numbers[-1]:
                break
        return pl.concat(taken) if taken else pl.DataFrame()


def blocks_of(rows: pl.DataFrame, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
    """Cut rows whose problems stand together into blocks, at least one; without `problem_id`, anywhere."""
    wanted = rows.select(columns) if columns else rows
    start = 0
    for end in _ends(rows):
        yield wanted.slice(start, end - start)
        start = end


def _ends(rows: pl.DataFrame) -> list[int]:
    """Where the blocks end."""
    if not rows.height:
        return [0]
    most = max(1, min(BLOCK_ROWS, BLOCK_BYTES * rows.height // max(1, int(rows.estimated_size()))))
    if PROBLEM not in rows.columns:
        return [*range(most, rows.height, most), rows.height]
    last = rows[PROBLEM].ne_missing(rows[PROBLEM].shift(-1)).arg_true().to_list()[:-1]
    ends, start = [], 0
    for before, row in zip([-1, *last], [*last, rows.height - 1], strict=True):
        if row + 1 - start > most and before + 1 > start:
            start = before + 1
            ends.append(start)
    return [*ends, rows.height]


def between_problems(blocks: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same rows in blocks that end between two problems where the rows of a problem stand together.

    At least one block, if there is one.
    """
    held: pl.DataFrame | None = None
    for block in blocks:
        rows = block if held is None else pl.concat([held, block])
        others = rows[PROBLEM].ne_missing(rows[PROBLEM].last())
        cut = rows.height - int(others.reverse().arg_max() or 0) if others.any() else 0
        if cut:
            yield rows.head(cut)
        held = rows.slice(cut)
    if held is not None:
        yield held
