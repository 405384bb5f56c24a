"""Draws rows of a release by seed and formats them as Markdown for a person to read."""

from collections.abc import Sequence
from random import Random

import polars as pl

from releases.errors import UnknownColumn


def drawn(rows: pl.DataFrame, *, n: int, seed: int) -> pl.DataFrame:
    """`n` random rows in their original order, or all if there are fewer; the same seed draws the same rows."""
    return rows[sorted(Random(seed).sample(range(rows.height), min(n, rows.height)))]


def shown(rows: pl.DataFrame, columns: Sequence[str]) -> str:
    """Format rows with one heading per row and one block per column, all columns by default; raises UnknownColumn."""
    unknown = [name for name in columns if name not in rows.columns]
    if unknown:
        raise UnknownColumn(f"there is no column {', '.join(unknown)}; there are {', '.join(rows.columns)}")
    selected = rows.select(columns or rows.columns).iter_rows(named=True)
    blocks = [[f"### Row {number}", *map(_cell, row, row.values())] for number, row in enumerate(selected, start=1)]
    return "\n\n".join(line for block in blocks for line in block) or "no rows"


def _cell(column: str, value: object) -> str:
    """A short value on the column's line; a long or multi-line one in a block below it."""
    text = _text(value)
    if len(text) <= 80 and "\n" not in text:
        return f"**{column}**: `{text}`"
    fence = "~~~~" if "~~~" in text else "~~~"
    return f"**{column}**\n\n{fence}text\n{text}\n{fence}"


def _text(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return "\n".join(item.rstrip("\n") for item in value)
    return str(value)
