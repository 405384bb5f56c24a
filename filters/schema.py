"""Table schemas: columns with types, meanings and nullability, a key, and rules that every row obeys.

Each table is declared once. Parquet schemas, the column tables in cards and docs, and all validation read it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import polars as pl

from filters.id_lists import ID_LIST, id_lists
from filters.widths import DataType, narrow, narrow_type, wide

SHOWN_ROWS = 3
MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
_ROW = "__row__"
_WORDS: tuple[tuple[Any, str], ...] = (
    (pl.String, "string"),
    (pl.Int32, "int32"),
    (pl.Int64, "int64"),
    (pl.Float32, "float32"),
    (pl.Float64, "float64"),
    (pl.Boolean, "bool"),
)


class SchemaError(ValueError):
    """A frame breaks its schema; the message names the table, column, rule and first rows."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's type and meaning, and whether it, the items of its lists or fields of its structs may be null.

    The type is string, int64, float64, bool, a struct of these, a list of one of these, token ids (`ID_LIST`), or chat
    messages (`MESSAGES`); a release holds its numbers in 32 bits. A `tokenwise` column holds token ids or a number for
    each token; it is left out where people read rows. Files of an older stepmill may lack an `added` column, which then
    reads as null or as an empty list, and the `added_fields` of a struct, which then have the values given here.
    """

    dtype: DataType
    meaning: str
    nullable: bool = False
    nullable_items: bool = False
    nullable_fields: tuple[str, ...] = ()
    tokenwise: bool = False
    added: bool = False
    added_fields: tuple[tuple[str, Any], ...] = ()

    @property
    def words(self) -> str:
        """The type in a release: `list of float32 or null` has nullable items, `(nullable)` marks a nullable value."""
        return self.in_words(narrow_type(self.dtype))

    def in_words(self, dtype: DataType) -> str:
        """The type in words, where a file holds the column as `dtype`."""
        is_list = isinstance(dtype, pl.List)
        item = _words(dtype.inner if isinstance(dtype, pl.List) else dtype, self.nullable_fields)
        items = f"{'list of ' if is_list else ''}{item}{' or null' if self.nullable_items else ''}"
        return f"{items}{' (nullable)' if self.nullable else ''}"

    def as_written(self, dtype: DataType | None) -> Self:
        """The column with those of its added fields that a file has, which holds the column as `dtype`."""
        return replace(self, dtype=_written(self.dtype, dtype, dict(self.added_fields)))

    def completed(self, name: str, dtype: DataType | None) -> pl.Expr | None:
        """The values of column `name`, of type `dtype` in a file, with all that was added; None if it lacks nothing."""
        if dtype is None:
            empty: Any = [] if isinstance(self.dtype, pl.List) and not self.nullable else None
            return pl.lit(empty, dtype=self.dtype).alias(name) if self.added else None
        if self.dtype == ID_LIST and dtype == pl.List(pl.Int64):
            return pl.col(name).cast(ID_LIST)
        if self.as_written(dtype).dtype == self.dtype:
            return None
        return _completed(pl.col(name), dtype, self.dtype, dict(self.added_fields)).alias(name)

    def no_null(self, name: str) -> pl.Expr:
        """An expression that is true where the column `name` has no forbidden null."""
        value = pl.col(name)
        holds = pl.lit(True) if self.nullable else value.is_not_null()
        if isinstance(self.dtype, pl.List) and not self.nullable_items:
            holds &= ~value.list.eval(pl.element().is_null()).list.any().fill_null(False)
        for part in self._required_fields:
            if isinstance(self.dtype, pl.List):
                missing = pl.element().is_not_null() & pl.element().struct.field(part).is_null()
                holds &= ~value.list.eval(missing).list.any().fill_null(False)
            else:
                holds &= value.is_null() | value.struct.field(part).is_not_null()
        return holds

    @property
    def _required_fields(self) -> list[str]:
        """The fields of a struct, or of the structs in a list, that are never null."""
        inner = self.dtype.inner if isinstance(self.dtype, pl.List) else self.dtype
        fields = inner.fields if isinstance(inner, pl.Struct) else []
        return [field.name for field in fields if field.name not in self.nullable_fields]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A table's columns in order, the columns that identify a row, and expressions that are true of every row.

    Without a `key`, duplicate rows are allowed.
    """

    name: str
    columns: Mapping[str, Column]
    key: tuple[str, ...] = ()
    rules: Mapping[str, pl.Expr] = field(default_factory=dict)

    def empty(self) -> pl.DataFrame:
        """Return an empty table with the declared columns."""
        return pl.DataFrame(schema=self._dtypes)

    def frame(self, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
        """Build the table from rows and validate it."""
        if not rows:
            return self.validate(self.empty())
        others = {name: dtype for name, dtype in self._dtypes.items() if dtype != ID_LIST}
        plain = [{name: value for name, value in row.items() if self._dtypes.get(name) != ID_LIST} for row in rows]
        ids = [self._ids(name, rows) for name in self.columns if name not in others]
        return self.validate(pl.DataFrame(plain, schema=others).with_columns(ids))

    @property
    def tokenwise(self) -> list[str]:
        """The names of the columns with token ids or a number for each token."""
        return [name for name, column in self.columns.items() if column.tokenwise]

    def only(self, *names: str) -> Mapping[str, Column]:
        """The named columns, in the order of `names`."""
        return {name: self.columns[name] for name in names}

    def null_checks(self) -> Iterator[tuple[str, pl.Expr]]:
        """Yield each column's name with an expression that is true where it has no forbidden null."""
        return ((name, column.no_null(name)) for name, column in self.columns.items())

    def validate(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with its columns in the declared order; raises SchemaError."""
        self._check_names(frame)
        frame = self._check_types(frame.select(list(self.columns)))
        for name, no_null in self.null_checks():
            self._check(frame, f"{name}: no_nulls", no_null)
        if self.key:
            self._check(frame, f"{', '.join(self.key)}: unique_key", pl.struct(self.key).is_unique())
        for name, rule in self.rules.items():
            self._check(frame, name, rule.fill_null(False))
        return frame

    def published(self, name: str, columns: Mapping[str, Column] | None = None) -> Self:
        """The schema under a config's name, with `columns` instead of its own if given; rules and key stay."""
        return type(self)(name=name, columns=columns or self.columns, key=self.key, rules=self.rules)

    def as_written(self, types: Mapping[str, DataType]) -> Self:
        """The schema of a file with columns of these `types`, which may lack what was added later."""
        columns = {
            name: column.as_written(types.get(name))
            for name, column in self.columns.items()
            if name in types or not column.added
        }
        return replace(self, columns=columns)

    def completed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with the columns and fields that an older stepmill did not write, declared columns first."""
        values = (column.completed(name, frame.schema.get(name)) for name, column in self.columns.items())
        whole = frame.with_columns([value for value in values if value is not None])
        return whole.select([*(name for name in self.columns if name in whole.columns), pl.exclude(*self.columns)])

    def rounded(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with every number as a release can hold it; raises SchemaError if an integer is too large."""
        try:
            return wide(narrow(frame))
        except pl.exceptions.InvalidOperationError as too_large:
            raise SchemaError(
                f"{self.name} has an integer beyond 32 bits, which a release cannot hold: {too_large}"
            ) from too_large

    @property
    def _dtypes(self) -> dict[str, DataType]:
        return {name: column.dtype for name, column in self.columns.items()}

    def _ids(self, name: str, rows: Sequence[Mapping[str, Any]]) -> pl.Series:
        try:
            return id_lists(name, [row.get(name) for row in rows])
        except (OverflowError, TypeError) as wrong:
            raise SchemaError(f"{self.name}.{name} must hold token ids from 0 to 2^32 - 1: {wrong}") from wrong

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
            elif declared == ID_LIST and dtype == pl.List(pl.Int64):
                frame = frame.with_columns(self._narrowed(frame[name]))
            elif dtype != declared:
                raise SchemaError(f"{self.name}.{name} must be {declared}, got {dtype}")
        return frame

    def _narrowed(self, column: pl.Series) -> pl.Series:
        """Token ids of a release, or of an older stepmill, which hold them in 64 bits when they are read."""
        try:
            return column.cast(ID_LIST)
        except pl.exceptions.InvalidOperationError as wrong:
            raise SchemaError(f"{self.name}.{column.name} must hold token ids from 0 to 2^32 - 1: {wrong}") from wrong

    def _check(self, frame: pl.DataFrame, rule: str, holds: pl.Expr) -> None:
        broken = frame.with_row_index(_ROW).filter(~holds)
        if not broken.is_empty():
            shown = [_brief(row) for row in broken.head(SHOWN_ROWS).iter_rows(named=True)]
            raise SchemaError(f"{self.name}.{rule} is broken by {broken.height} of {frame.height} rows, first {shown}")


def _written(declared: DataType, written: DataType | None, added: Mapping[str, Any]) -> DataType:
    """The declared type without the added fields that a file's type lacks."""
    if not added or not isinstance(declared, pl.Struct) or not isinstance(written, pl.Struct):
        return declared
    types = {field.name: field.dtype for field in written.fields}
    fields = [field for field in declared.fields if field.name in types or field.name not in added]
    return pl.Struct({field.name: _written(field.dtype, types.get(field.name), added) for field in fields})


def _completed(value: pl.Expr, written: DataType, declared: DataType, added: Mapping[str, Any]) -> pl.Expr:
    """The value of a file's type with the added fields that it lacks; other fields and types stay as they are."""
    if not isinstance(written, pl.Struct) or not isinstance(declared, pl.Struct):
        return value
    types = {field.name: field.dtype for field in written.fields}
    fields = []
    for part in declared.fields:
        name, dtype = part.name, part.dtype
        if name in types:
            fields.append(_completed(value.struct.field(name), types[name], dtype, added).alias(name))
        elif name in added:
            fields.append(pl.lit(added[name], dtype=dtype).alias(name))
    return pl.when(value.is_not_null()).then(pl.struct(fields))


def _words(dtype: Any, nullable_fields: tuple[str, ...] = ()) -> str:
    """A type in words, such as `{role: string, content: string or null}`."""
    if isinstance(dtype, pl.Struct):
        fields = (
            f"{field.name}: {_words(field.dtype, nullable_fields)}{' or null' if field.name in nullable_fields else ''}"
            for field in dtype.fields
        )
        return f"{{{', '.join(fields)}}}"
    if isinstance(dtype, pl.List):
        return f"list of {_words(dtype.inner, nullable_fields)}"
    return next((words for known, words in _WORDS if dtype == known), str(dtype))


def _brief(row: Mapping[str, Any]) -> dict[str, str]:
    # A table may have a column named `row` of its own.
    shown = {("row" if name == _ROW else name): repr(value) for name, value in row.items()}
    return {name: text if len(text) <= 40 else f"{text[:40]}…" for name, text in shown.items()}
