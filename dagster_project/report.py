"""Dagster metadata that a person reads in the UI: counts, drop reasons, pictures, sample rows."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import dagster as dg
import polars as pl
from upath import UPath

from filters.rules import most_frequent, reason_counts
from filters.schema import Schema
from generators import shown

SAMPLE_ROWS = shown.SAMPLES
SHOWN_REASONS = 3
CELL_CHARACTERS = 1200
BRIEF_COLUMNS = 3
BRIEF_LINE = 36  # characters that fit into the UI's column of values
BINS = 10
POINTS = 14
_PICTURES = (shown.Histogram, shown.Bars, shown.Curves, shown.Svg)
_COLOURS = ("#284", "#b32")


def drawn(values: Mapping[str, shown.Shown]) -> dict[str, Any]:
    """What a stage shows, as metadata of its asset."""
    return {name: _drawn(value) for name, value in values.items()}


def first_screen(values: Mapping[str, shown.Shown]) -> dict[str, Any]:
    """What a person sees without scrolling: the first picture, and three rows cut short."""
    pictures = [(name, value) for name, value in values.items() if isinstance(value, _PICTURES)]
    sample = values.get("sample_rows")
    rows = {"three_rows": brief_rows(sample.frame, sample.columns)} if isinstance(sample, shown.SampleRows) else {}
    return drawn(dict(pictures[:1])) | rows


def headline(kept: int, dropped: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """How many rows were kept and dropped, and for which reasons most."""
    reasons = f":  \n{most_frequent(reason_counts(dropped), SHOWN_REASONS)}" if dropped.height else ""
    return dg.MetadataValue.md(f"{kept:,} rows kept, {dropped.height:,} dropped{reasons}")


def _drawn(value: shown.Shown) -> Any:
    match value:
        case shown.Counts(rows):
            return counts(rows)
        case shown.Facts(figures):
            return facts(figures)
        case shown.Records(frame):
            return records(frame)
        case shown.SampleRows(frame, names):
            return sample_rows(frame, names)
        case shown.Histogram():
            return histogram(value.values, title=value.title, x=value.x, y=value.y, bounds=value.bounds)
        case shown.Bars():
            return bars(value.counts, title=value.title)
        case shown.Curves():
            return curves(value.series, title=value.title, x=value.x, y=value.y)
        case shown.Svg():
            return picture(value.title, value.content, kind="svg+xml")
        case shown.Folder(path):
            return dg.MetadataValue.path(path)
        case _:
            return value


def table(path: UPath, rows: int, schema: Schema) -> dict[str, Any]:
    """A table's row count, its path, and the meanings of its columns."""
    return {
        "dagster/row_count": rows,
        "dagster/uri": str(path),
        "columns": columns((name, str(column.dtype), column.meaning) for name, column in schema.columns.items()),
    }


def columns(described: Iterable[tuple[str, str, str]]) -> dg.TableSchema:
    """Columns by name, type and meaning."""
    table_columns = [dg.TableColumn(name, kind, description=meaning) for name, kind, meaning in described]
    return dg.TableSchema(columns=table_columns)


def counts(rows: Mapping[str, int]) -> dg.TableMetadataValue:
    """A small table of counts."""
    records = [dg.TableRecord({"what": what, "rows": number}) for what, number in sorted(rows.items())]
    columns = [dg.TableColumn("what", "string"), dg.TableColumn("rows", "int")]
    return dg.MetadataValue.table(records, dg.TableSchema(columns=columns))


def facts(rows: Mapping[str, float | int | None]) -> dg.TableMetadataValue:
    """A small table of figures by name; a missing value is left blank."""
    records = [dg.TableRecord({"what": what, "value": _figure(value)}) for what, value in rows.items()]
    columns = [dg.TableColumn("what", "string"), dg.TableColumn("value", "string")]
    return dg.MetadataValue.table(records, dg.TableSchema(columns=columns))


def records(frame: pl.DataFrame) -> dg.TableMetadataValue:
    """All rows of a small frame; a missing value is left blank."""
    kinds = {name: "int" if dtype.is_integer() else "string" for name, dtype in frame.schema.items()}
    rows = [
        dg.TableRecord({name: row[name] if kinds[name] == "int" else _figure(row[name]) for name in kinds})
        for row in frame.iter_rows(named=True)
    ]
    return dg.MetadataValue.table(rows, dg.TableSchema(columns=[dg.TableColumn(*kind) for kind in kinds.items()]))


def _figure(value: object) -> str:
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def dropped(frame: pl.DataFrame) -> dg.TableMetadataValue:
    """The number of rows dropped for each reason."""
    return counts(reason_counts(frame))


def sample_rows(frame: pl.DataFrame, columns: Sequence[str]) -> dg.MarkdownMetadataValue:
    """Three rows spread over the table, with a heading for each row and a block for each column."""
    step = max(1, frame.height // SAMPLE_ROWS)
    blocks = []
    for number, row in enumerate(frame.gather_every(step).head(SAMPLE_ROWS).iter_rows(named=True), start=1):
        cells = [f"**{column}**\n\n```text\n{_text(row[column])}\n```" for column in columns]
        blocks.append("\n\n".join([f"### Row {number}", *cells]))
    return dg.MetadataValue.md("\n\n".join(blocks) or "no rows")


def brief_rows(frame: pl.DataFrame, columns: Sequence[str]) -> dg.MarkdownMetadataValue:
    """The first columns of three rows spread over the table, a line for each cell, short enough to be shown inline."""
    step = max(1, frame.height // SAMPLE_ROWS)
    rows = [
        "  \n   ".join(
            f"**{column}** `{_cut(row[column], BRIEF_LINE - len(column))}`" for column in columns[:BRIEF_COLUMNS]
        )
        for row in frame.gather_every(step).head(SAMPLE_ROWS).iter_rows(named=True)
    ]
    return dg.MetadataValue.md("\n".join(f"{number}. {row}" for number, row in enumerate(rows, start=1)) or "no rows")


def histogram(
    values: Sequence[float], *, title: str, x: str, y: str, bounds: tuple[float, float] = (0, 1)
) -> dg.MarkdownMetadataValue:
    """A histogram in ten bins, small enough for the UI to show it inline.

    The UI replaces Markdown of 1,000 characters or more by a link, and the output of plotting libraries is longer.
    """
    low, high = bounds
    bins = [0] * BINS
    for value in values:
        bins[min(BINS - 1, int((value - low) / (high - low) * BINS))] += 1
    most = max(1, *bins)
    tops = [round(100 * count / most) for count in bins]
    bars = "".join(f"M{30 * bin_ + 9} 118v-{top}h26v{top}" for bin_, top in enumerate(tops) if top)
    words = f"<text x='8' y='12'>{title} ({y}, at most {most})</text><text x='8' y='134'>{low:g}</text>"
    words += f"<text x='110' y='134'>{x}</text><text x='290' y='134'>{high:g}</text>"
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='320' height='140' font-size='12'>{words}"
        f"<path d='{bars}M8 118h302v1h-302' fill='#46a'/></svg>"
    )
    return picture(title, svg.encode(), kind="svg+xml")


def curves(series: Mapping[str, Sequence[float]], *, title: str, x: str, y: str) -> dg.MarkdownMetadataValue:
    """One line for each series, as small as a histogram; a long series is drawn by its means."""
    most = max((max(values) for values in series.values() if values), default=0) or 1
    lines = ""
    for number, (name, values) in enumerate(series.items()):
        means = _means(values)
        step = 300 / max(1, len(means) - 1)
        points = " ".join(f"{9 + round(at * step)},{118 - round(100 * mean / most)}" for at, mean in enumerate(means))
        lines += f"<polyline points='{points}' stroke='{_COLOURS[number % len(_COLOURS)]}'/>"
        lines += f"<text x='{170 + 72 * number}' y='12' fill='{_COLOURS[number % len(_COLOURS)]}'>{name}</text>"
    words = f"<text x='8' y='12'>{title} (at most {most:.2g})</text><text x='150' y='134'>{x}</text>"
    svg = (
        "<svg xmlns='http://www.w3.org/2000/svg' width='320' height='140' font-size='12'>"
        f"{words}<g fill='none'>{lines}<path d='M8 118h302' stroke='#46a'/></g></svg>"
    )
    return picture(title, svg.encode(), kind="svg+xml")


def bars(rows: Mapping[str, int], *, title: str) -> dg.MarkdownMetadataValue:
    """A bar for each of a few counts, small enough for the UI to show it inline."""
    most = max(1, *rows.values(), 0)
    words = f"<text x='4' y='12'>{title}</text>"
    path = ""
    for line, (what, count) in enumerate(rows.items()):
        words += f"<text x='4' y='{20 * line + 32}'>{what}: {count}</text>"
        path += f"M160 {20 * line + 22}h{round(150 * count / most)}v12H160"
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='320' height='{20 * len(rows) + 20}' font-size='12'>{words}"
        f"<path d='{path}' fill='#46a'/></svg>"
    )
    return picture(title, svg.encode(), kind="svg+xml")


def _means(values: Sequence[float]) -> list[float]:
    """The values as at most `POINTS` means of neighbouring values."""
    n = min(POINTS, len(values))
    cuts = [round(cut * len(values) / n) for cut in range(n + 1)] if n else []
    return [sum(values[start:end]) / (end - start) for start, end in pairwise(cuts)]


def picture(title: str, content: bytes, *, kind: str = "png") -> dg.MarkdownMetadataValue:
    """A picture inside the metadata itself."""
    return dg.MetadataValue.md(f"![{title}](data:image/{kind};base64,{base64.b64encode(content).decode()})")


def _cut(value: object, most: int) -> str:
    """A value in one line of at most so many characters."""
    text = " / ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = " ".join(text.split()).replace("`", "'") or "-"
    return text if len(text) <= most else f"{text[: most - 2]} …"


def _text(value: object) -> str:
    if isinstance(value, list):
        value = "\n".join(f"{index}: {str(item).rstrip()}" for index, item in enumerate(value))
    text = str(value).replace("```", "'''")
    return text if len(text) <= CELL_CHARACTERS else text[:CELL_CHARACTERS] + " …"
