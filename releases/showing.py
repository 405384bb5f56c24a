"""Rows of a release for a person to read: drawn by seed, not chosen, and written as Markdown.

Knows no dataset; whoever asks names the columns.
"""

from collections.abc import Sequence
from random import Random

import polars as pl

from releases.errors import UnknownColumn


def drawn(rows: pl.DataFrame, *, n: int, seed: int) -> pl.DataFrame:
    """`n` of the rows in their own order, all where there are no more; the same ones for the same seed."""
    return rows[sorted(Random(seed).sample(range(rows.height), min(n, rows.height)))]


def shown(rows: pl.DataFrame, columns: Sequence[str]) -> str:
    """A heading a row and a block a column; all columns where none is named. Raises UnknownColumn."""
    unknown = [name for name in columns if name not in rows.columns]
    if unknown:
        raise UnknownColumn(f"there is no column {', '.join(unknown)}; there are {', '.join(rows.columns)}")
    told = rows.select(columns or rows.columns).iter_rows(named=True)
    blocks = [[f"### Row {number}", *map(_cell, row, row.values())] for number, row in enumerate(told, start=1)]
    return "\n\n".join(line for block in blocks for line in block) or "no rows"


def _cell(column: str, value: object) -> str:
    """Short values in the line, long ones and those of several lines below it."""
    text = _text(value)
    if len(text) <= 80 and "\n" not in text:
        return f"**{column}**: `{text}`"
    fence = "~~~~" if "~~~" in text else "~~~"
    return f"**{column}**\n\n{fence}text\n{text}\n{fence}"


def _text(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return "\n".join(item.rstrip("\n") for item in value)
    return str(value)
