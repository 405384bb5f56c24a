"""The width of numbers: 64 bits where rows are made, 32 bits for token ids and in the files of a release.

A row keeps what the files can hold, so whoever reads them computes with the same numbers as the publisher.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

DataType = pl.DataType | pl.datatypes.DataTypeClass
_NARROW: Mapping[DataType, DataType] = {pl.Int64: pl.Int32, pl.UInt32: pl.Int32, pl.Float64: pl.Float32}
_WIDE: Mapping[DataType, DataType] = {pl.Int32: pl.Int64, pl.Float32: pl.Float64}


def narrow_type(dtype: DataType) -> DataType:
    """The type with 32-bit numbers, in lists and structs too."""
    return _mapped(dtype, _NARROW)


def narrow(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with 32-bit numbers; raises InvalidOperationError if an integer does not fit."""
    return rows.cast({name: narrow_type(dtype) for name, dtype in rows.schema.items()})


def wide(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with 64-bit numbers of the same values."""
    return rows.cast({name: _mapped(dtype, _WIDE) for name, dtype in rows.schema.items()})


def short(value: Any) -> Any:
    """A value to print: floats, in lists and dicts too, with the seven digits that 32 bits hold."""
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, list | tuple):
        return type(value)(map(short, value))
    if isinstance(value, dict):
        return {name: short(item) for name, item in value.items()}
    return value


def _mapped(dtype: DataType, types: Mapping[DataType, DataType]) -> DataType:
    if isinstance(dtype, pl.List):
        return pl.List(_mapped(dtype.inner, types))
    if isinstance(dtype, pl.Struct):
        return pl.Struct({field.name: _mapped(field.dtype, types) for field in dtype.fields})
    return types.get(dtype, dtype)
