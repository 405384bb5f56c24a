"""One config in two versions: rows added, removed and changed by their key, columns that differ.

Knows no version and no dataset: keys come from outside. Configs with other columns are compared in those they share.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa

from releases.comparison.columns import ColumnChange, column_changes

Row = tuple[Any, ...]


class ChangedRow(NamedTuple):
    """A row that both versions have, by its key, with the columns in which it differs."""

    key: Row
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDiff:
    """One config in two versions: rows by their key, or whole rows where no columns name them."""

    config: str
    key: tuple[str, ...]
    columns: tuple[ColumnChange, ...]
    added: tuple[Row, ...]
    removed: tuple[Row, ...]
    changed: tuple[ChangedRow, ...]
    n_same: int

    @property
    def is_equal(self) -> bool:
        """Nothing differs."""
        return not (self.columns or self.added or self.removed or self.changed)


class Config(NamedTuple):
    """The columns and the rows of a config, all splits in one."""

    schema: pa.Schema
    rows: pl.DataFrame

    def without_rows(self) -> "Config":
        """Its columns alone."""
        return self._replace(rows=self.rows.clear())


def compared(name: str, key: Sequence[str], first: Config, second: Config) -> ConfigDiff:
    """The two in the columns that they share: by key where these hold it, else by whole rows."""
    columns = tuple(column_changes(first.schema, second.schema))
    shared = [column for column in second.rows.columns if column in first.rows.columns]
    keyed = tuple(key) if set(key) <= set(shared) else ()
    compare = _by_key if keyed else _by_row
    return compare(first.rows.select(shared), second.rows.select(shared), config=name, key=keyed, columns=columns)


def _by_key(
    first: pl.DataFrame, second: pl.DataFrame, *, config: str, key: tuple[str, ...], columns: tuple[ColumnChange, ...]
) -> ConfigDiff:
    before, after = _keyed(first, key), _keyed(second, key)
    both = [named for named in before if named in after]
    compared = [ChangedRow(named, _unlike(before[named], after[named])) for named in both]
    changed = tuple(row for row in compared if row.columns)
    return ConfigDiff(
        config=config,
        key=key,
        columns=columns,
        added=tuple(named for named in after if named not in before),
        removed=tuple(named for named in before if named not in after),
        changed=changed,
        n_same=len(both) - len(changed),
    )


def _keyed(rows: pl.DataFrame, key: Sequence[str]) -> dict[Row, dict[str, Any]]:
    return {tuple(row[name] for name in key): row for row in rows.iter_rows(named=True)}


def _unlike(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name for name, value in after.items() if value != before[name])


def _by_row(
    first: pl.DataFrame, second: pl.DataFrame, *, config: str, key: tuple[str, ...], columns: tuple[ColumnChange, ...]
) -> ConfigDiff:
    before, after = ({repr(row): row for row in rows.rows()} for rows in (first, second))
    counted, recounted = (Counter(map(repr, rows.rows())) for rows in (first, second))
    return ConfigDiff(
        config=config,
        key=key,
        columns=columns,
        added=tuple(after[row] for row in (recounted - counted).elements()),
        removed=tuple(before[row] for row in (counted - recounted).elements()),
        changed=(),
        n_same=(counted & recounted).total(),
    )
