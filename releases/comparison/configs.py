"""Compares one config in two versions: rows added, removed and changed by key, and columns that differ.

Configs with different columns are compared in the columns they share.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa

from filters.widths import narrow
from releases.comparison.columns import ColumnChange, column_changes

Row = tuple[Any, ...]


class ChangedRow(NamedTuple):
    """The key of a row that both versions have, with the columns in which it differs."""

    key: Row
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDiff:
    """The difference of one config between two versions: row keys, or whole rows if the config has no key."""

    config: str
    key: tuple[str, ...]
    columns: tuple[ColumnChange, ...]
    added: tuple[Row, ...]
    removed: tuple[Row, ...]
    changed: tuple[ChangedRow, ...]
    n_same: int

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not (self.columns or self.added or self.removed or self.changed)


class Config(NamedTuple):
    """The columns and rows of a config, all splits together."""

    schema: pa.Schema
    rows: pl.DataFrame

    def without_rows(self) -> "Config":
        """The config with its columns but no rows."""
        return self._replace(rows=self.rows.clear())


def compared(name: str, key: Sequence[str], first: Config, second: Config) -> ConfigDiff:
    """Compare two configs in the columns they share: by key if these include it, else by whole rows.

    Where one has 64-bit numbers and the other 32-bit ones, they are compared in 32 bits.
    """
    columns = tuple(column_changes(first.schema, second.schema))
    shared = [column for column in second.rows.columns if column in first.rows.columns]
    keyed = tuple(key) if set(key) <= set(shared) else ()
    compare = _by_key if keyed else _by_row
    before, after = first.rows.select(shared), second.rows.select(shared)
    if before.schema != after.schema:
        before, after = narrow(before), narrow(after)
    return compare(before, after, config=name, key=keyed, columns=columns)


def _by_key(
    first: pl.DataFrame, second: pl.DataFrame, *, config: str, key: tuple[str, ...], columns: tuple[ColumnChange, ...]
) -> ConfigDiff:
    before, after = _keyed(first, key), _keyed(second, key)
    common = [row_key for row_key in before if row_key in after]
    rows = [ChangedRow(row_key, _differing(before[row_key], after[row_key])) for row_key in common]
    changed = tuple(row for row in rows if row.columns)
    return ConfigDiff(
        config=config,
        key=key,
        columns=columns,
        added=tuple(row_key for row_key in after if row_key not in before),
        removed=tuple(row_key for row_key in before if row_key not in after),
        changed=changed,
        n_same=len(common) - len(changed),
    )


def _keyed(rows: pl.DataFrame, key: Sequence[str]) -> dict[Row, dict[str, Any]]:
    return {tuple(row[name] for name in key): row for row in rows.iter_rows(named=True)}


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name for name, value in after.items() if value != before[name])


def _by_row(
    first: pl.DataFrame, second: pl.DataFrame, *, config: str, key: tuple[str, ...], columns: tuple[ColumnChange, ...]
) -> ConfigDiff:
    before, after = ({repr(row): row for row in rows.rows()} for rows in (first, second))
    n_before, n_after = (Counter(map(repr, rows.rows())) for rows in (first, second))
    return ConfigDiff(
        config=config,
        key=key,
        columns=columns,
        added=tuple(after[row] for row in (n_after - n_before).elements()),
        removed=tuple(before[row] for row in (n_before - n_after).elements()),
        changed=(),
        n_same=(n_before & n_after).total(),
    )
