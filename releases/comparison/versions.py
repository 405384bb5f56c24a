"""Compares two versions of a dataset: columns, rows by key, labels and lengths.

Versions with different major numbers are compared in the columns they share.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from generators.dataset import Dataset
from releases.comparison.configs import Config, ConfigDiff, compared
from releases.errors import DamagedRelease, UnknownRelease
from releases.manifest import Manifest
from releases.parquet import shards_of
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


def diff(first: UPath, second: UPath) -> Diff:
    """Compare the versions in two folders.

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
            )
            for name in names
        ),
        distributions=(_labels(first_manifest, second_manifest), *_lengths(dataset, before, after)),
    )


def read_configs(folder: UPath, manifest: Manifest) -> dict[str, Config]:
    """Read the rows of every config, split by split; raises DamagedRelease."""
    schemas: dict[str, pa.Schema] = {}
    frames: dict[str, list[pl.DataFrame]] = {}
    for shard in shards_of(manifest):
        try:
            table = pq.read_table(BytesIO((folder / shard.path).read_bytes()))
        except (OSError, pa.ArrowException) as bad:
            raise DamagedRelease(f"{folder / shard.path} cannot be read, verify the version: {bad}") from bad
        schemas.setdefault(shard.config, table.schema)
        frames.setdefault(shard.config, []).append(pl.DataFrame(table))
    return {config: Config(schemas[config], pl.concat(frames[config])) for config in schemas}


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
        if column in before[main].rows.columns and column in after[main].rows.columns:
            first, second = (_figures(configs[main].rows[column]) for configs in (before, after))
            yield Distribution(name=f"{column} per row", first=first, second=second)


def _figures(column: pl.Series) -> dict[str, float]:
    sizes = column.list.len() if isinstance(column.dtype, pl.List) else column.str.len_chars()
    lengths = sorted(sizes.drop_nulls().to_list()) or [0]
    last = len(lengths) - 1
    return {
        "mean": sum(lengths) / len(lengths),
        **{name: lengths[round(share * last)] for name, share in _QUANTILES.items()},
    }
