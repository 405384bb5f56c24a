"""What is different between two versions of a dataset: columns, rows by their key, labels and lengths.

Knows no dataset: keys and lengths are those that its verifier names. Versions of two major numbers are compared in the
columns that they share.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from releases.comparison.configs import Config, ConfigDiff, compared
from releases.errors import DamagedRelease, UnknownRelease
from releases.manifest import Manifest
from releases.parquet import shards_of
from releases.verification.opened import manifest_in
from releases.verification.verifier import Verifier
from releases.verification.verifiers import verifier_of

_QUANTILES = {"shortest": 0.0, "10 %": 0.1, "median": 0.5, "90 %": 0.9, "longest": 1.0}


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


def diff(first: UPath, second: UPath) -> Diff:
    """Compare the versions in two folders.

    Raises UnknownRelease where one is none or they are of two datasets, DamagedRelease where a file cannot be read.
    """
    ones, others = manifest_in(first), manifest_in(second)
    if ones.dataset != others.dataset:
        raise UnknownRelease(f"only versions of one dataset can be compared, got {ones.dataset} and {others.dataset}")
    verifier = verifier_of(ones.dataset)
    before, after = read_configs(first, ones), read_configs(second, others)
    names = [name for name in verifier.schemas if name in before or name in after]
    return Diff(
        first=ones,
        second=others,
        configs=tuple(
            compared(
                name,
                verifier.keys.get(name, ()),
                before.get(name) or after[name].without_rows(),
                after.get(name) or before[name].without_rows(),
            )
            for name in names
        ),
        distributions=(_labels(ones, others), *_lengths(verifier, before, after)),
    )


def read_configs(folder: UPath, manifest: Manifest) -> dict[str, Config]:
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
    return {config: Config(schemas[config], pl.concat(frames[config])) for config in schemas}


def _labels(first: Manifest, second: Manifest) -> Distribution:
    ones, others = (sum(map(Counter, one.label_counts.values()), Counter[str]()) for one in (first, second))
    return Distribution(name="labels", first=ones, second=others)


def _lengths(verifier: Verifier, before: Mapping[str, Config], after: Mapping[str, Config]) -> Iterator[Distribution]:
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
