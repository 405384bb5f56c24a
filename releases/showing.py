"""Draws rows of a release by seed and formats them as Markdown for a person to read."""

import re
from collections.abc import Sequence
from random import Random

import polars as pl

from releases.errors import UnknownColumn


def drawn(rows: pl.DataFrame, *, n: int, seed: int) -> pl.DataFrame:
    """`n` random rows in their original order, or all if there are fewer; the same seed draws the same rows."""
    return rows[sorted(Random(seed).sample(range(rows.height), min(n, rows.height)))]


def shown(rows: pl.DataFrame, columns: Sequence[str], *, longest: int | None = None) -> str:
    """Format rows with one heading per row and one block per column, all columns by default; raises UnknownColumn.

    Values are cut after `longest` characters.
    """
    unknown = [name for name in columns if name not in rows.columns]
    if unknown:
        raise UnknownColumn(f"there is no column {', '.join(unknown)}; there are {', '.join(rows.columns)}")
    selected = rows.select(columns or rows.columns).iter_rows(named=True)
    blocks = [
        [f"### Row {number}", *(_cell(column, value, longest) for column, value in row.items())]
        for number, row in enumerate(selected, start=1)
    ]
    return "\n\n".join(line for block in blocks for line in block) or "no rows"


def _cell(column: str, value: object, longest: int | None) -> str:
    """A short value on the column's line; a long or multi-line one in a block below it."""
    text = _text(value)
    if longest is not None and len(text) > longest:
        text = f"{text[:longest].rstrip()} …"
    if len(text) <= 80 and "\n" not in text and "`" not in text:
        return f"**{column}**: `{text}`"
    fence = "~" * max([3, *(len(run) + 1 for run in re.findall("~{3,}", text))])
    return f"**{column}**\n\n{fence}text\n{text}\n{fence}"


def _text(value: object) -> str:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return "\n".join(item.rstrip("\n") for item in value)
    return str(value)
