"""The tables of a slice in parts that fit in memory: each has the problems of a range of ids, with all of their rows.

Rows of a release stand in the order of slice and problem id, so the parts follow each other as the rows do.
"""

from collections.abc import Iterator, Mapping

import polars as pl

from generators.rows import BLOCK_BYTES, Rows
from releases.spool import Scratch, Spool

PART_BYTES = 128_000_000
_PROBLEM = "problem_id"


def in_ranges(tables: Mapping[str, Rows]) -> Iterator[dict[str, pl.DataFrame]]:
    """Yield the tables whole if they are small, else range by range; every table has a column `problem_id`."""
    n = -(-sum(map(_bytes, tables.values())) // PART_BYTES)
    if n <= 1:
        yield {name: rows.only() for name, rows in tables.items()}
        return
    starts, scratch = _starts(tables, n), Scratch()
    parts = [{name: Spool(scratch, most_bytes=BLOCK_BYTES // n) for name in tables} for _ in range(len(starts) + 1)]
    empty: dict[str, pl.DataFrame] = {}
    for name, rows in tables.items():
        for block in rows.blocks():
            empty[name] = block.clear()
            number = block.select(pl.sum_horizontal(pl.lit(0), *(pl.col(_PROBLEM) >= start for start in starts)))
            for index, part in enumerate(parts):
                part[name].add(block.filter(number.to_series() == index))
    for part in parts:
        yield {name: pl.concat([empty[name], *spool.rows().blocks()]) for name, spool in part.items()}


def _bytes(rows: Rows) -> int:
    """About how many bytes rows have in memory, by those of the first block."""
    first = next(rows.blocks())
    return int(first.estimated_size()) * rows.height // max(1, first.height)


def _starts(tables: Mapping[str, Rows], n: int) -> list[str]:
    """The first id of each range but the first; each has about as many rows."""
    ids = pl.concat([rows.only(_PROBLEM) for rows in tables.values()])[_PROBLEM].sort()
    return ids.gather([len(ids) * index // n for index in range(1, n)]).unique().sort().to_list()
