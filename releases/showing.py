"""Draws rows of a release by seed and formats them as Markdown for a person to read."""

import re
from collections.abc import Collection, Sequence
from random import Random

import polars as pl

from filters.widths import short
from releases.door.text import visible
from releases.errors import UnknownColumn
from releases.names import instead

_EMPTY = "-"


def drawn(rows: pl.DataFrame, *, n: int, seed: int) -> pl.DataFrame:
    """`n` random rows in their original order, or all if there are fewer; the same seed draws the same rows."""
    return rows[sorted(Random(seed).sample(range(rows.height), min(n, rows.height)))]


def shown(
    rows: pl.DataFrame, columns: Sequence[str], *, omitted: Collection[str] = (), longest: int | None = None
) -> str:
    """Format rows with one heading per row and one block per column; an empty value is a dash.

    Without `columns`, all columns but the `omitted` ones are shown. Values are cut after `longest` characters. Raises
    UnknownColumn.
    """
    for name in columns:
        if name not in rows.columns:
            raise UnknownColumn(f"there is no column {name}; {instead(name, rows.columns, plural='columns')}")
    selected = rows.select(columns or [name for name in rows.columns if name not in omitted]).iter_rows(named=True)
    blocks = [
        [f"### Row {number}", *(_cell(column, value, longest) for column, value in row.items())]
        for number, row in enumerate(selected, start=1)
    ]
    return "\n\n".join(line for block in blocks for line in block) or "no rows"


def _cell(column: str, value: object, longest: int | None) -> str:
    """A short value on the column's line; a long or multi-line one in a block below it."""
    text = visible(_text(short(value)))
    if text == "":
        return f"**{column}**: {_EMPTY}"
    if longest is not None and len(text) > longest:
        text = f"{text[:longest].rstrip()} …"
    if len(text) <= 80 and "\n" not in text and "`" not in text:
        return f"**{column}**: `{text}`"
    fence = "~" * max([3, *(len(run) + 1 for run in re.findall("~{3,}", text))])
    return f"**{column}**\n\n{fence}text\n{text}\n{fence}"


def _text(value: object) -> str:
    if value is None or value == []:
        return ""
    if isinstance(value, list) and any(isinstance(item, str) for item in value):
        return "\n".join(_EMPTY if item is None else item.rstrip("\n") for item in value)
    if isinstance(value, list) and None in value:
        return f"[{', '.join(_EMPTY if item is None else str(item) for item in value)}]"
    return str(value)
