"""The rows of each group of a table: its problem's solutions, say, which alone are compared with each other."""

from collections.abc import Iterable, Sequence

import polars as pl


def groups_of(rows: pl.DataFrame, within: Sequence[str]) -> Iterable[tuple[tuple[object, ...], list[int]]]:
    """The row numbers of each combination of the columns `within`, in order; without columns, all rows are one."""
    if not within:
        return [((), list(range(rows.height)))]
    numbers: dict[tuple[object, ...], list[int]] = {}
    for number, group in enumerate(rows.select(within).iter_rows()):
        numbers.setdefault(group, []).append(number)
    return numbers.items()
