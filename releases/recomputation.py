"""Compares released rows with their recomputation from the measured columns."""

from typing import Any

import polars as pl

_TOLERANCE = 1e-6


def close(left: Any, right: Any) -> bool:
    """Whether two values are equal; floats may differ by 1e-6, since machines round differently."""
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(close(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, float) and isinstance(right, float):
        return abs(left - right) <= _TOLERANCE
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
