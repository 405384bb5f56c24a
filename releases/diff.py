"""What is different between two versions of a dataset: columns, rows by their key, labels and lengths.

Knows no dataset: keys and lengths are those that its verifier names. Versions of two major numbers are compared in the
columns that they share.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from releases.columns import ColumnChange, column_changes
from releases.errors import DamagedRelease, UnknownRelease
from releases.manifest import Manifest
from releases.shards import shards_of
from releases.verification.opened import manifest_in
from releases.verification.verifier import Verifier
from releases.verification.verifiers import verifier_of

_QUANTILES = {"shortest": 0.0, "10 %": 0.1, "median": 0.5, "90 %": 0.9, "longest": 1.0}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Figures by name, of the first version and of the second."""

    name: str
    first: Mapping[str, float]
    second: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Two versions side by side."""

    first: Manifest
    second: Manifest
    configs: tuple[ConfigDiff, ...]
    distributions: tuple[Distribution, ...]

    @property
    def is_equal(self) -> bool:
        """No config differs."""
        return all(config.is_equal for config in self.configs)


class _Config(NamedTuple):
    schema: pa.Schema
    rows: pl.DataFrame

    def without_rows(self) -> "_Config":
        return self._replace(rows=self.rows.clear())


def diff(first: UPath, second: UPath) -> Diff:
    """Compare the versions in two folders.

    Raises UnknownRelease where one is none or they are of two datasets, DamagedRelease where a file cannot be read.
    """
    ones, others = manifest_in(first), manifest_in(second)
    if ones.dataset != others.dataset:
        raise UnknownRelease(f"only versions of one dataset can be compared, got {ones.dataset} and {others.dataset}")
    verifier = verifier_of(ones.dataset)
    before, after = _read(first, ones), _read(second, others)
    names = [name for name in verifier.schemas if name in before or name in after]
    return Diff(
        first=ones,
        second=others,
        configs=tuple(
            _compared(
                name,
                verifier.keys.get(name, ()),
                before.get(name) or after[name].without_rows(),
                after.get(name) or before[name].without_rows(),
            )
            for name in names
        ),
        distributions=(_labels(ones, others), *_lengths(verifier, before, after)),
    )


def _read(folder: UPath, manifest: Manifest) -> dict[str, _Config]:
    """The rows of every config, split by split."""
    schemas: dict[str, pa.Schema] = {}
    frames: dict[str, list[pl.DataFrame]] = {}
    for shard in shards_of(manifest):
        try:
            table = pq.read_table(BytesIO((folder / shard.path).read_bytes()))
        except (OSError, pa.ArrowException) as bad:
            raise DamagedRelease(f"{folder / shard.path} cannot be read, verify the version: {bad}") from bad
        schemas.setdefault(shard.config, table.schema)
        frames.setdefault(shard.config, []).append(pl.DataFrame(table))
    return {config: _Config(schemas[config], pl.concat(frames[config])) for config in schemas}


def _compared(name: str, key: Sequence[str], first: _Config, second: _Config) -> ConfigDiff:
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


def _labels(first: Manifest, second: Manifest) -> Distribution:
    ones, others = (sum(map(Counter, one.label_counts.values()), Counter[str]()) for one in (first, second))
    return Distribution(name="labels", first=ones, second=others)


def _lengths(verifier: Verifier, before: Mapping[str, _Config], after: Mapping[str, _Config]) -> Iterator[Distribution]:
    main = next(iter(verifier.schemas))
    if main not in before or main not in after:
        return
    for column in verifier.lengths:
        if column in before[main].rows.columns and column in after[main].rows.columns:
            first, second = (_figures(one[main].rows[column]) for one in (before, after))
            yield Distribution(name=f"{column} per row", first=first, second=second)


def _figures(column: pl.Series) -> dict[str, float]:
    counted = column.list.len() if isinstance(column.dtype, pl.List) else column.str.len_chars()
    lengths = sorted(counted.drop_nulls().to_list()) or [0]
    last = len(lengths) - 1
    return {
        "mean": sum(lengths) / len(lengths),
        **{name: lengths[round(share * last)] for name, share in _QUANTILES.items()},
    }
