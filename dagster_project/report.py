"""What a person sees on an asset in the UI: counts, drop reasons, pictures, sample rows.

Knows frames and plain data; decides nothing about them.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl

SAMPLE_ROWS = 3
_CELL = 400


def reasons(counts: Mapping[str, int]) -> dg.TableMetadataValue:
    """How many rows each reason dropped."""
    records = [dg.TableRecord({"reason": reason, "rows": rows}) for reason, rows in sorted(counts.items())]
    columns = [dg.TableColumn("reason", "string"), dg.TableColumn("rows", "int")]
    return dg.MetadataValue.table(records, dg.TableSchema(columns=columns))


def reason_counts(dropped: pl.DataFrame) -> dict[str, int]:
    """Rows per value of the `reason` column."""
    return dict(dropped.group_by("reason").len().iter_rows()) if dropped.height else {}


def sample_rows(frame: pl.DataFrame, columns: Sequence[str]) -> dg.MarkdownMetadataValue:
    """Three rows spread over the table, one heading a row and one block a column."""
    step = max(1, frame.height // SAMPLE_ROWS)
    blocks = []
    for number, row in enumerate(frame.gather_every(step).head(SAMPLE_ROWS).iter_rows(named=True), start=1):
        cells = [f"**{column}**\n\n```text\n{_text(row[column])}\n```" for column in columns]
        blocks.append("\n\n".join([f"### Row {number}", *cells]))
    return dg.MetadataValue.md("\n\n".join(blocks) or "no rows")


def table_columns(frame: pl.DataFrame, meanings: Mapping[str, str]) -> dg.TableSchema:
    """The columns with their dtypes and meanings, as the UI's column tab shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name, str(dtype), description=meanings.get(name)) for name, dtype in frame.schema.items()
        ]
    )


def histogram(values: Sequence[float], *, title: str, x: str, y: str, bins: int = 10) -> dg.MarkdownMetadataValue:
    """A histogram of shares between 0 and 1."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    axes.hist(values, bins=bins, range=(0, 1), color="#4464ad", edgecolor="white")
    axes.set(title=title, xlabel=x, ylabel=y)
    return _picture(figure, title)


def bars(labels: Sequence[str], groups: Mapping[str, Sequence[float]], *, title: str, y: str) -> dg.MarkdownMetadataValue:
    """Stacked bars, one per label, one colour per group."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.subplots()
    base = [0.0] * len(labels)
    for (name, values), colour in zip(groups.items(), ("#2e7d5b", "#c0504d", "#8a8a8a"), strict=False):
        axes.bar(labels, values, bottom=base, label=name, color=colour)
        base = [low + value for low, value in zip(base, values, strict=True)]
    axes.set(title=title, ylabel=y)
    axes.legend(frameon=False)
    return _picture(figure, title)


def _picture(figure: Any, title: str) -> dg.MarkdownMetadataValue:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=100)
    encoded = base64.b64encode(content.getvalue()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/png;base64,{encoded})")


def _text(value: object) -> str:
    if isinstance(value, list):
        value = "\n".join(f"{place}: {str(item).rstrip()}" for place, item in enumerate(value))
    text = str(value).replace("```", "'''")
    return text if len(text) <= _CELL * 3 else text[: _CELL * 3] + " …"
