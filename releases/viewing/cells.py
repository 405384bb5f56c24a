"""The values of a column as JSON, and how the column is filtered."""

from typing import Any

import polars as pl

from filters.schema import MESSAGES, Column

_MOST_CHOICES = 24
_LARGEST_EXACT = 2**53  # of a browser's numbers


def cells(column: pl.Series) -> list[Any]:
    """The column's values; floats to six digits, and numbers that a browser cannot hold as text."""
    return [_cell(value) for value in column.to_list()]


def filter_of(column: pl.Series, declared: Column) -> dict[str, Any] | None:
    """A filter by range, by choice or by text, for any item of a list; None for tokens, records and empty columns."""
    if declared.tokenwise:
        return None
    items = column.explode(empty_as_null=True) if isinstance(column.dtype, pl.List) else column
    items = items.drop_nulls()
    if items.is_empty():
        return None
    if declared.dtype == MESSAGES:
        return {"by": "text"}
    if items.dtype.is_nested():
        return None
    if items.dtype.is_numeric():
        return {"by": "range", "least": _cell(items.min()), "most": _cell(items.max())}
    values = items.unique().sort().to_list()
    return {"by": "choice", "values": values} if len(values) <= _MOST_CHOICES else {"by": "text"}


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return [_cell(item) for item in value]
    if isinstance(value, dict):
        return {name: _cell(item) for name, item in value.items()}
    if isinstance(value, float):
        rounded = float(f"{value:.6g}")
        return rounded if abs(rounded) < float("inf") else str(value)
    if isinstance(value, int) and abs(value) > _LARGEST_EXACT:
        return str(value)
    return value
