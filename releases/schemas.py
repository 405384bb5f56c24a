"""What a published table is, declared once: its columns with type and meaning, and the rules of its rows.

The Parquet schema, the card's table of columns and the validation are all read from here. Knows nothing of files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from filters.schema import SchemaError, TableSchema
from generators.columns import MESSAGES

_SCALARS = (
    (pl.String, "string", pa.string()),
    (pl.Int64, "int64", pa.int64()),
    (pl.Float64, "float64", pa.float64()),
    (pl.Boolean, "bool", pa.bool_()),
    (
        MESSAGES.inner,
        "{role: string, content: string}",
        pa.struct([pa.field(name, pa.string(), nullable=False) for name in ("role", "content")]),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedColumn:
    """One column: string, int64, float64, bool or a list of one of these, or the messages of a chat (`MESSAGES`).

    `nullable` speaks of the value itself and `nullable_items` of the items of a list.
    """

    name: str
    dtype: pl.DataType | type[pl.DataType]
    meaning: str
    nullable: bool = False
    nullable_items: bool = False

    @property
    def words(self) -> str:
        """The type in words: `list of float64 or null` has lists, and nulls in them; `(nullable)` is a null itself."""
        item = f"{self._scalar[0]}{' or null' if self.nullable_items else ''}"
        return f"{'list of ' if self._is_list else ''}{item}{' (nullable)' if self.nullable else ''}"

    def to_arrow(self) -> pa.Field:
        """The Arrow field, with the meaning as its description."""
        arrow = self._scalar[1]
        if self._is_list:
            arrow = pa.list_(pa.field("element", arrow, nullable=self.nullable_items))
        return pa.field(self.name, arrow, nullable=self.nullable, metadata={"description": self.meaning})

    def no_null(self) -> pl.Expr:
        """True where the column has no null that it must not have."""
        value = pl.col(self.name)
        holds = pl.lit(True) if self.nullable else value.is_not_null()
        if self._is_list and not self.nullable_items:
            holds &= ~value.list.eval(pl.element().is_null()).list.any().fill_null(False)
        if self.dtype == MESSAGES:
            for name in ("role", "content"):
                missing = pl.element().is_not_null() & pl.element().struct.field(name).is_null()
                holds &= ~value.list.eval(missing).list.any().fill_null(False)
        return holds

    @property
    def _is_list(self) -> bool:
        return isinstance(self.dtype, pl.List)

    @property
    def _scalar(self) -> tuple[str, pa.DataType]:
        inner = self.dtype.inner if isinstance(self.dtype, pl.List) else self.dtype
        return next((words, arrow) for scalar, words, arrow in _SCALARS if inner == scalar)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSchema:
    """A published table's columns in order, and rules that every row keeps, by name."""

    name: str
    columns: tuple[PublishedColumn, ...]
    rules: Mapping[str, pl.Expr] = field(default_factory=dict)

    def to_arrow(self) -> pa.Schema:
        return pa.schema([column.to_arrow() for column in self.columns])

    def validate(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Give the declared columns of `rows`, in order; raises SchemaError when a type, a null or a rule is off."""
        for column in self.columns:
            self._check_type(rows, column)
            self._check(rows, f"column {column.name} holds a null", column.no_null())
        for name, holds in self.rules.items():
            self._check(rows, f"rule {name} is broken", holds.fill_null(False))
        return rows.select(column.name for column in self.columns)

    def _check_type(self, rows: pl.DataFrame, column: PublishedColumn) -> None:
        if column.name not in rows.columns:
            raise SchemaError(f"{self.name}: column {column.name} is missing; there are {', '.join(rows.columns)}")
        if rows.schema[column.name] != column.dtype:
            found = rows.schema[column.name]
            raise SchemaError(f"{self.name}: column {column.name} must be {column.dtype}, got {found}")

    def _check(self, rows: pl.DataFrame, complaint: str, holds: pl.Expr) -> None:
        broken = rows.with_row_index("row").filter(~holds)["row"]
        if broken.len():
            raise SchemaError(
                f"{self.name}: {complaint} in {broken.len()} of {rows.height} rows, first row {broken[0]}"
            )


def measured_columns(table: TableSchema, meanings: Mapping[str, str]) -> tuple[PublishedColumn, ...]:
    """The columns of an asset's table that are published as they are, in the order of their meanings."""
    return tuple(
        PublishedColumn(
            name=name,
            dtype=table.columns[name].dtype,
            nullable=table.columns[name].nullable,
            nullable_items=table.columns[name].nullable_items,
            meaning=meaning,
        )
        for name, meaning in meanings.items()
    )
