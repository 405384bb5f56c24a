"""What a person sees on an asset in the UI: counts, drop reasons, pictures, sample rows.

Knows frames and plain data; decides nothing about them.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl
from upath import UPath

from filters.tables import TableSchema

SAMPLE_ROWS = 3
CELL_CHARACTERS = 1200


def table(path: UPath, frame: pl.DataFrame, schema: TableSchema) -> dict[str, Any]:
    """How many rows a table has, where it is, and what its columns mean."""
    columns = [
        dg.TableColumn(name, str(column.dtype), description=column.meaning) for name, column in schema.columns.items()
    ]
    return {
        "dagster/row_count": frame.height,
        "dagster/uri": str(path),
        "dagster/column_schema": dg.TableSchema(columns=columns),
    }


def counts(rows: Mapping[str, int]) -> dg.TableMetadataValue:
    """A small table of how many rows there are of what."""
    records = [dg.TableRecord({"what": what, "rows": number}) for what, number in sorted(rows.items())]
    columns = [dg.TableColumn("what", "string"), dg.TableColumn("rows", "int")]
    return dg.MetadataValue.table(records, dg.TableSchema(columns=columns))


def reason_counts(dropped: pl.DataFrame) -> dict[str, int]:
    """Rows per value of the `reason` column."""
    return dict(dropped.group_by("reason").len().iter_rows())


def dropped(frame: pl.DataFrame) -> dg.TableMetadataValue:
    """How many rows each reason dropped."""
    return counts(reason_counts(frame))


def sample_rows(frame: pl.DataFrame, columns: Sequence[str]) -> dg.MarkdownMetadataValue:
    """Three rows spread over the table, one heading a row and one block a column."""
    step = max(1, frame.height // SAMPLE_ROWS)
    blocks = []
    for number, row in enumerate(frame.gather_every(step).head(SAMPLE_ROWS).iter_rows(named=True), start=1):
        cells = [f"**{column}**\n\n```text\n{_text(row[column])}\n```" for column in columns]
        blocks.append("\n\n".join([f"### Row {number}", *cells]))
    return dg.MetadataValue.md("\n\n".join(blocks) or "no rows")


def histogram(
    values: Sequence[float],
    *,
    title: str,
    x: str,
    y: str,
    bounds: tuple[float, float] | None = (0, 1),
) -> dg.MarkdownMetadataValue:
    """A histogram in ten bins: of shares between 0 and 1, or over the values' own range."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    axes.hist(values, bins=10, range=bounds, color="#4464ad", edgecolor="white")
    axes.set(title=title, xlabel=x, ylabel=y)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=100)
    return picture(title, content.getvalue())


def picture(title: str, png: bytes) -> dg.MarkdownMetadataValue:
    """A picture that stands in the metadata itself."""
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{base64.b64encode(png).decode()})")


def _text(value: object) -> str:
    if isinstance(value, list):
        value = "\n".join(f"{place}: {str(item).rstrip()}" for place, item in enumerate(value))
    text = str(value).replace("```", "'''")
    return text if len(text) <= CELL_CHARACTERS else text[:CELL_CHARACTERS] + " …"
