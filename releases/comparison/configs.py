"""Compares one config in two versions: rows added, removed and changed by key, and columns that differ.

Configs with different columns are compared in the columns they share. Both sides are tables of hashes; only the rows
that are shown are read again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa

from filters.widths import narrow
from generators.rows import Rows
from releases.comparison.columns import ColumnChange, column_changes
from releases.row_hashes import HASH, KEY, NUMBER, hashed, without

SHOWN = 100
Row = tuple[Any, ...]


class ChangedRow(NamedTuple):
    """The key of a row that both versions have, with the columns in which it differs."""

    key: Row
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDiff:
    """The difference of one config between two versions.

    `added`, `removed` and `changed` are the first rows of each kind, by their keys, or whole if the config has no key.
    """

    config: str
    key: tuple[str, ...]
    columns: tuple[ColumnChange, ...]
    added: tuple[Row, ...]
    removed: tuple[Row, ...]
    changed: tuple[ChangedRow, ...]
    n_added: int
    n_removed: int
    n_changed: int
    n_same: int

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not (self.columns or self.n_added or self.n_removed or self.n_changed)


class Config(NamedTuple):
    """The columns and rows of a config, all splits together, with numbers as files hold them."""

    schema: pa.Schema
    rows: Rows

    def without_rows(self) -> "Config":
        """The config with its columns but no rows."""
        return self._replace(rows=Rows.of(self.empty()))

    def empty(self) -> pl.DataFrame:
        """No row, with the columns."""
        return pl.DataFrame(self.schema.empty_table())

    def only(self, columns: Sequence[str], *, is_narrow: bool) -> Rows:
        """The rows in some columns, with 32-bit numbers if `is_narrow`."""
        rows = self.rows

        def read(names: Sequence[str] | None) -> Any:
            blocks = rows.blocks(*(names or columns))
            return map(narrow, blocks) if is_narrow else blocks

        return Rows(read, rows.height)


def compared(name: str, key: Sequence[str], first: Config, second: Config, *, shown: int = SHOWN) -> ConfigDiff:
    """Compare two configs in the columns they share: by key if these include it, else by whole rows.

    Where one has 64-bit numbers and the other 32-bit ones, they are compared in 32 bits. Up to `shown` rows of each
    kind are read.
    """
    columns = tuple(column_changes(first.schema, second.schema))
    shared = [column for column in second.schema.names if column in first.schema.names]
    keyed = tuple(key) if set(key) <= set(shared) else ()
    is_narrow = first.empty().select(shared).schema != second.empty().select(shared).schema
    before, after = (config.only(shared, is_narrow=is_narrow) for config in (first, second))
    ours, theirs = (hashed(rows.blocks(), keyed) for rows in (before, after))
    changed = ours.clear().with_columns(after=pl.lit(None, pl.UInt32))
    if keyed:
        ours, theirs = (table.unique(KEY, keep="last") for table in (ours, theirs))
        common = ours.join(theirs.rename({NUMBER: "after"}), on=KEY)
        changed = common.filter(pl.any_horizontal(pl.col(name) != pl.col(f"{name}_right") for name in HASH))
        added, removed = (left.join(right, on=KEY, how="anti") for left, right in ((theirs, ours), (ours, theirs)))
    else:
        added, removed = without(theirs, ours), without(ours, theirs)
    return ConfigDiff(
        config=name,
        key=keyed,
        columns=columns,
        added=tuple(_rows(after, added, shown, keyed)),
        removed=tuple(_rows(before, removed, shown, keyed)),
        changed=tuple(_changed(before, after, changed.sort(NUMBER).head(shown), keyed)),
        n_added=added.height,
        n_removed=removed.height,
        n_changed=changed.height,
        n_same=ours.height - removed.height - changed.height,
    )


def _rows(rows: Rows, table: pl.DataFrame, shown: int, columns: Sequence[str]) -> list[Row]:
    return rows.take(table[NUMBER].sort().head(shown).to_list(), *columns).rows()


def _changed(before: Rows, after: Rows, pairs: pl.DataFrame, key: Sequence[str]) -> list[ChangedRow]:
    numbers = pairs["after"].sort().to_list()
    old = before.take(pairs[NUMBER].to_list()).to_dicts()
    new = dict(zip(numbers, after.take(numbers).to_dicts(), strict=True))
    return [
        ChangedRow(
            tuple(row[name] for name in key),
            tuple(name for name, value in new[number].items() if value != row[name]),
        )
        for row, number in zip(old, pairs["after"], strict=True)
    ]
