"""Compares two versions of a dataset: columns, rows by key, labels and lengths.

Versions with different major numbers are compared in the columns they share.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa
from upath import UPath

from generators.dataset import Dataset
from generators.rows import Rows
from releases.comparison.configs import SHOWN, Config, ConfigDiff, compared
from releases.errors import DamagedRelease, UnknownRelease
from releases.manifest import Manifest
from releases.parquet import shards_of
from releases.shard_blocks import blocks_in, height_of, schema_of
from releases.verification.opened import known_dataset, manifest_in

_QUANTILES = {"shortest": 0.0, "10 %": 0.1, "median": 0.5, "90 %": 0.9, "longest": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Figures by name, for the first and the second version."""

    name: str
    first: Mapping[str, float]
    second: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """The differences between two versions."""

    first: Manifest
    second: Manifest
    configs: tuple[ConfigDiff, ...]
    distributions: tuple[Distribution, ...]

    @property
    def is_equal(self) -> bool:
        """Whether no config differs."""
        return all(config.is_equal for config in self.configs)


def diff(first: UPath, second: UPath, *, shown: int = SHOWN) -> Diff:
    """Compare the versions in two folders; up to `shown` rows of each kind are read.

    Raises UnknownRelease if a folder holds no version or they are of different datasets, and DamagedRelease if a file
    cannot be read.
    """
    first_manifest, second_manifest = manifest_in(first), manifest_in(second)
    if first_manifest.dataset != second_manifest.dataset:
        raise UnknownRelease(
            f"only versions of one dataset can be compared, got {first_manifest.dataset} and {second_manifest.dataset}"
        )
    dataset = known_dataset(first_manifest.dataset)
    before, after = read_configs(first, first_manifest), read_configs(second, second_manifest)
    keys = {config.name: config.schema.key for config in dataset.configs}
    names = [name for name in dict.fromkeys([*keys, *before, *after]) if name in before or name in after]
    return Diff(
        first=first_manifest,
        second=second_manifest,
        configs=tuple(
            compared(
                name,
                keys.get(name, ()),
                before.get(name) or after[name].without_rows(),
                after.get(name) or before[name].without_rows(),
                shown=shown,
            )
            for name in names
        ),
        distributions=(_labels(first_manifest, second_manifest), *_lengths(dataset, before, after)),
    )


def read_configs(folder: UPath, manifest: Manifest) -> dict[str, Config]:
    """Every config with its rows, split by split, which raise DamagedRelease where they cannot be read."""
    paths: dict[str, list[str]] = {}
    for shard in shards_of(manifest):
        paths.setdefault(shard.config, []).append(shard.path)
    return {config: _config(folder, shards) for config, shards in paths.items()}


def _config(folder: UPath, shards: Sequence[str]) -> Config:
    def read(columns: Sequence[str] | None) -> Iterator[pl.DataFrame]:
        for path in shards:
            with _explained(folder, path):
                yield from blocks_in(folder, path, columns)

    height = 0
    for path in shards:
        with _explained(folder, path):
            height += height_of(folder, path)
    with _explained(folder, shards[0]):
        return Config(schema_of(folder, shards[0]), Rows(read, height))


@contextmanager
def _explained(folder: UPath, path: str) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as bad:
        raise DamagedRelease(f"{folder / path} cannot be read, verify the version: {bad}") from bad


def _labels(first: Manifest, second: Manifest) -> Distribution:
    before, after = (sum(map(Counter, manifest.label_counts.values()), Counter[str]()) for manifest in (first, second))
    return Distribution(name="labels", first=before, second=after)


def _lengths(
    dataset: Dataset[Any], before: Mapping[str, Config], after: Mapping[str, Config]
) -> Iterator[Distribution]:
    main = dataset.main.name
    if main not in before or main not in after:
        return
    for column in dataset.lengths:
        if column in before[main].schema.names and column in after[main].schema.names:
            first, second = (_figures(configs[main].rows, column) for configs in (before, after))
            yield Distribution(name=f"{column} per row", first=first, second=second)


def _figures(rows: Rows, column: str) -> dict[str, float]:
    sizes = pl.concat([_sizes(block[column]) for block in rows.blocks(column)])
    lengths = sizes.drop_nulls().sort() if sizes.drop_nulls().len() else pl.Series([0])
    last = lengths.len() - 1
    return {
        "mean": int(lengths.cast(pl.Int64).sum()) / lengths.len(),
        **{name: lengths[round(share * last)] for name, share in _QUANTILES.items()},
    }


def _sizes(column: pl.Series) -> pl.Series:
    return column.list.len() if isinstance(column.dtype, pl.List) else column.str.len_chars()
