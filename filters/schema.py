"""What it takes to declare a table: columns, types, which may be null, and the rules that its rows obey.

Knows no table in particular, no path and no writer: a frame comes in, and goes out in order or not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

SHOWN_ROWS = 3
_ROW = "__row__"


class SchemaError(ValueError):
    """A frame breaks its schema; the message names table, column, rule and the first rows."""


@dataclass(frozen=True, slots=True)
class Column:
    """The type of a column, what it means, and whether it, or an item of its lists, may be null."""

    dtype: pl.DataType | type[pl.DataType]
    meaning: str
    nullable: bool = False
    nullable_items: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """A table by name: its columns in order, the columns that make a row unique, and expressions true of every row."""

    name: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    rules: Mapping[str, pl.Expr] = field(default_factory=dict)

    @property
    def meanings(self) -> dict[str, str]:
        """What each column means, by its name."""
        return {name: column.meaning for name, column in self.columns.items()}

    def empty(self) -> pl.DataFrame:
        """Return the table without a row."""
        return pl.DataFrame(schema=self._dtypes)

    def frame(self, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
        """Build the table from rows and validate it."""
        return self.validate(pl.DataFrame(list(rows), schema=self._dtypes) if rows else self.empty())

    def validate(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with its columns in the declared order; raises SchemaError."""
        self._check_names(frame)
        frame = self._check_types(frame.select(list(self.columns)))
        for name, column in self.columns.items():
            self._check(frame, f"{name}: no_nulls", _holds_no_null(name, column))
        self._check(frame, f"{', '.join(self.key)}: unique_key", pl.struct(self.key).is_unique())
        for name, rule in self.rules.items():
            self._check(frame, name, rule.fill_null(False))
        return frame

    @property
    def _dtypes(self) -> dict[str, pl.DataType | type[pl.DataType]]:
        return {name: column.dtype for name, column in self.columns.items()}

    def _check_names(self, frame: pl.DataFrame) -> None:
        missing = [name for name in self.columns if name not in frame.columns]
        unknown = [name for name in frame.columns if name not in self.columns]
        if missing or unknown:
            wrong = [f"{what} {', '.join(names)}" for what, names in (("lacks", missing), ("has", unknown)) if names]
            raise SchemaError(f"{self.name} {' and '.join(wrong)}: its columns are {', '.join(self.columns)}")

    def _check_types(self, frame: pl.DataFrame) -> pl.DataFrame:
        for name, dtype in frame.schema.items():
            declared = self.columns[name].dtype
            if dtype == pl.Null:
                frame = frame.with_columns(pl.col(name).cast(declared))
            elif dtype != declared:
                raise SchemaError(f"{self.name}.{name} must be {declared}, got {dtype}")
        return frame

    def _check(self, frame: pl.DataFrame, rule: str, holds: pl.Expr) -> None:
        broken = frame.with_row_index(_ROW).filter(~holds)
        if not broken.is_empty():
            shown = [_brief(row) for row in broken.head(SHOWN_ROWS).iter_rows(named=True)]
            raise SchemaError(f"{self.name}.{rule} is broken by {broken.height} of {frame.height} rows, first {shown}")


def _holds_no_null(name: str, column: Column) -> pl.Expr:
    holds = pl.lit(True) if column.nullable else pl.col(name).is_not_null()
    if column.dtype == pl.List and not column.nullable_items:
        holds &= ~pl.col(name).list.eval(pl.element().is_null()).list.any().fill_null(False)
    return holds


def _brief(row: Mapping[str, Any]) -> dict[str, str]:
    # A table may have a column named `row` of its own.
    shown = {("row" if name == _ROW else name): repr(value) for name, value in row.items()}
    return {name: text if len(text) <= 40 else f"{text[:40]}…" for name, text in shown.items()}
