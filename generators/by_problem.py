"""The rows of a table on disk by problem: a problem's rows are read when they are asked for."""

from collections.abc import Iterator
from itertools import pairwise

import polars as pl

from generators.blocks import StoredTable
from generators.rows import PROBLEM


class ByProblem:
    """Where the rows of each problem are; problems are cheapest in the order of the table."""

    def __init__(self, table: StoredTable) -> None:
        self._table = table
        starts = (
            table.frame([PROBLEM]).with_row_index("row").filter(pl.col(PROBLEM).ne_missing(pl.col(PROBLEM).shift()))
        )
        self._places: dict[str, list[tuple[int, int]]] = {}
        for (start, problem), (stop, _) in pairwise([*starts.iter_rows(), (table.height, "")]):
            self._places.setdefault(problem, []).append((start, stop))

    def __contains__(self, problem_id: object) -> bool:
        return problem_id in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def of(self, problem_id: str) -> pl.DataFrame:
        """The rows of a problem in the order of the table; none if it has none. Raises StorageError."""
        parts = [self._table.rows(start, stop) for start, stop in self._places.get(problem_id, ())]
        return pl.concat(parts) if parts else self._table.schema.empty()
