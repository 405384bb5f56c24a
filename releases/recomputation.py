"""Compares released rows with their recomputation from the measured columns.

Rows are rounded to the 32 bits of a release, and machines round differently in the last of 64.
"""

from math import isclose
from typing import Any

import polars as pl

_TOLERANCE = 1e-6


def close(left: Any, right: Any) -> bool:
    """Whether two values are equal; floats may differ by 1e-6, or above 1 by a millionth of themselves."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(close(value, right[name]) for name, value in left.items())
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(close(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, float) and isinstance(right, float):
        return isclose(left, right, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    return bool(left == right)


def differing_columns(rows: pl.DataFrame, recomputed: pl.DataFrame) -> dict[int, list[str]]:
    """The rows that differ from their recomputation, by number, each with the differing columns."""
    wrong: dict[int, list[str]] = {}
    for name in recomputed.columns:
        pairs = zip(rows[name].to_list(), recomputed[name].to_list(), strict=True)
        for number, (value, expected) in enumerate(pairs):
            if not close(value, expected):
                wrong.setdefault(number, []).append(name)
    return wrong


def corrected(rows: pl.DataFrame, recomputed: pl.DataFrame) -> pl.DataFrame:
    """The rows with a recomputed value in place of each that differs from it."""
    columns = []
    for name in recomputed.columns:
        pairs = zip(rows[name].to_list(), recomputed[name].to_list(), strict=True)
        values = [value if close(value, expected) else expected for value, expected in pairs]
        columns.append(pl.Series(name, values, dtype=rows.schema[name]))
    return rows.with_columns(columns)
