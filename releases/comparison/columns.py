"""Compares two Arrow schemas by column names, types and nullability; descriptions do not count."""

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa


class ColumnChange(NamedTuple):
    """A column with its type before and after; None if the column does not exist."""

    name: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"column {self.name} ({self.after}) was added"
        if self.after is None:
            return f"column {self.name} ({self.before}) was removed"
        return f"column {self.name} was {self.before} and is {self.after}"


def column_changes(before: pa.Schema, after: pa.Schema) -> Iterator[ColumnChange]:
    """Yield every column that was removed or retyped, then every column that was added."""
    for field in before:
        if field.name not in after.names:
            yield ColumnChange(field.name, _words(field), None)
        elif not field.equals(after.field(field.name)):
            yield ColumnChange(field.name, _words(field), _words(after.field(field.name)))
    for field in after:
        if field.name not in before.names:
            yield ColumnChange(field.name, None, _words(field))


def _words(field: pa.Field) -> str:
    return f"{field.type}{'' if field.nullable else ' not null'}"
