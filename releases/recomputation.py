"""Compares released rows with their recomputation from the measured columns.

Rows are rounded to the 32 bits of a release, and machines round differently in the last of 64.
"""

from collections.abc import Iterator
from math import isclose
from typing import Any, NamedTuple

import polars as pl

from filters.widths import narrow

_TOLERANCE = 1e-6


class Difference(NamedTuple):
    """A value of a row that differs from its recomputation."""

    row: int
    column: str
    stored: Any
    expected: Any


def close(left: Any, right: Any) -> bool:
    """Whether two values are equal; floats may differ by 1e-6, or above 1 by a millionth of themselves."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(close(value, right[name]) for name, value in left.items())
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(close(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, float) and isinstance(right, float):
        return isclose(left, right, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    return bool(left == right)


def differences(rows: pl.DataFrame, recomputed: pl.DataFrame) -> Iterator[Difference]:
    """Yield every value that differs from its recomputation, column by column.

    Only what is unequal as files hold it is looked at value by value.
    """
    for name in recomputed.columns:
        for row in _unequal(rows[name], recomputed[name]):
            stored, expected = _value(rows[name], row), _value(recomputed[name], row)
            if not close(stored, expected):
                yield Difference(row, name, stored, expected)


def differing_columns(rows: pl.DataFrame, recomputed: pl.DataFrame) -> dict[int, list[str]]:
    """The rows that differ from their recomputation, by number, each with the differing columns."""
    wrong: dict[int, list[str]] = {}
    for difference in differences(rows, recomputed):
        wrong.setdefault(difference.row, []).append(difference.column)
    return wrong


def corrected(rows: pl.DataFrame, wrong: list[Difference]) -> pl.DataFrame:
    """The rows with the recomputed value in place of each that differs from it."""
    columns = []
    for name in dict.fromkeys(difference.column for difference in wrong):
        values = rows[name].to_list()
        for difference in wrong:
            if difference.column == name:
                values[difference.row] = difference.expected
        columns.append(pl.Series(name, values, dtype=rows.schema[name]))
    return rows.with_columns(columns)


def _unequal(stored: pl.Series, expected: pl.Series) -> list[int]:
    left, right = (narrow(series.rename("value").to_frame())["value"] for series in (stored, expected))
    if left.dtype != right.dtype:
        return list(range(len(left)))
    return left.ne_missing(right).arg_true().to_list()


def _value(series: pl.Series, row: int) -> Any:
    value = series[row]
    return value.to_list() if isinstance(value, pl.Series) else value
