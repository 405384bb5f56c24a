"""Reads a version back from its folder: the manifest, and the rows of every shard that it lists.

A shard that cannot be read becomes a finding.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from filters.schema import Schema
from filters.widths import narrow, wide
from generators.dataset import Dataset
from generators.datasets import DATASETS, dataset_of
from releases.comparison.columns import column_changes
from releases.door.shards import open_shard
from releases.errors import DamagedRelease, UnknownConfig, UnknownRelease
from releases.manifest import Manifest
from releases.names import instead
from releases.parquet import Shard, arrow_schema, shards_of
from releases.registry.version_files import files_in
from releases.verification.finding import Finding


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one config and split, from the readable shards; `ends` are the row numbers where the shards end.

    The rows have 64-bit numbers, to compute with; `is_wide` says whether the files have them too, as an older stepmill
    wrote them. Where the files lack what was added since, `written` are the rows as the files have them.
    """

    config: str
    split: str
    rows: pl.DataFrame
    paths: tuple[str, ...]
    ends: tuple[int, ...]
    is_wide: bool = False
    written: pl.DataFrame | None = None

    @property
    def stored(self) -> pl.DataFrame:
        """The rows with columns and numbers as the files have them."""
        rows = self.rows if self.written is None else self.written
        return rows if self.is_wide else narrow(rows)

    def has(self, column: str) -> bool:
        """Whether the files have a column."""
        return column in self.stored.columns

    def finding(self, row: int, column: str | None, complaint: str) -> Finding:
        """A finding at a row of the part, located in its file."""
        shard = bisect_right(self.ends, row)
        start = self.ends[shard - 1] if shard else 0
        return Finding(file=self.paths[shard], row=row - start, column=column, complaint=complaint)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRelease:
    """A version in `folder`; `complaints` list the shards that are unreadable or have undeclared columns."""

    folder: UPath
    manifest: Manifest
    dataset: Dataset[Any]
    parts: Mapping[str, Mapping[str, Part]]
    n_shards: int
    complaints: tuple[Finding, ...]

    @property
    def main(self) -> str:
        """The name of the main config, which has the measured columns."""
        return self.dataset.main.name

    def schema(self, config: str) -> Schema:
        """The declared schema of a config."""
        return next(declared.schema for declared in self.dataset.configs if declared.name == config)

    def is_whole(self, config: str) -> bool:
        """Whether every listed shard of a config could be read."""
        read = {path for part in self.parts.get(config, {}).values() for path in part.paths}
        return read == {shard.path for shard in shards_of(self.manifest) if shard.config == config}

    def each_part(self) -> Iterator[Part]:
        """Yield every part, config by config."""
        for splits in self.parts.values():
            yield from splits.values()

    def rows(self, config: str) -> pl.DataFrame:
        """All rows of a config, split by split."""
        parts = self.parts.get(config, {})
        return pl.concat([part.rows for part in parts.values()]) if parts else pl.DataFrame()

    def existing_rows(self, config: str) -> pl.DataFrame:
        """As `rows`; raises UnknownConfig if the version has no such config, DamagedRelease if it is not readable."""
        configs = self.manifest.rows
        if config not in configs:
            raise UnknownConfig(
                f"{self.manifest.dataset} {self.manifest.version} has no config {config}; "
                f"{instead(config, list(configs), plural='configs')}"
            )
        if not self.is_whole(config):
            wrong = next(one for one in self.complaints if one.file.startswith(f"data/{config}/"))
            raise DamagedRelease(
                f"not every file of config {config} can be read ({wrong}): see `stepmill verify`, or load it with "
                "`datasets` if an earlier stepmill made it with other columns"
            )
        return self.rows(config)


def open_release(folder: UPath) -> OpenedRelease:
    """Read a version's folder; raises UnknownRelease if it has no manifest or the dataset is unknown."""
    manifest = manifest_in(folder)
    dataset = known_dataset(manifest.dataset)
    read: dict[tuple[str, str], list[tuple[str, pl.DataFrame, pl.DataFrame]]] = {}
    complaints: list[Finding] = []
    listed = list(shards_of(manifest))
    is_wide = has_wide_numbers(folder, listed, dataset)
    for shard in listed:
        frames, wrong = _read(folder, shard, dataset, is_wide)
        complaints += wrong
        if frames is not None:
            read.setdefault((shard.config, shard.split), []).append((shard.path, *frames))
    parts: dict[str, dict[str, Part]] = {}
    for (config, split), shard_frames in read.items():
        parts.setdefault(config, {})[split] = _part(config, split, shard_frames, is_wide)
    return OpenedRelease(
        folder=folder,
        manifest=manifest,
        dataset=dataset,
        parts=parts,
        n_shards=len(listed),
        complaints=tuple(complaints),
    )


def manifest_in(folder: UPath) -> Manifest:
    """The manifest of the version in `folder`; raises UnknownRelease if there is none."""
    return files_in(folder).manifest


def _part(config: str, split: str, shards: list[tuple[str, pl.DataFrame, pl.DataFrame]], is_wide: bool) -> Part:
    paths, frames, written = zip(*shards, strict=True)
    is_whole = all(frame.schema == read.schema for frame, read in zip(frames, written, strict=True))
    return Part(
        config,
        split,
        pl.concat(frames),
        paths,
        tuple(accumulate(frame.height for frame in frames)),
        is_wide,
        None if is_whole else pl.concat(written, how="diagonal"),
    )


def known_dataset(name: str) -> Dataset[Any]:
    """The dataset of this name; raises UnknownRelease listing the known ones."""
    dataset = dataset_of(name)
    if dataset is None:
        known = ", ".join(dataset.name for dataset in DATASETS)
        raise UnknownRelease(f"{name} is no dataset that can be checked; there are {known}")
    return dataset


def has_wide_numbers(folder: UPath, shards: Iterable[Shard], dataset: Dataset[Any]) -> bool:
    """Whether a version's numbers have 64 bits, by the first file that tells; they have 32 if none does."""
    for shard in shards:
        config = dataset.config(shard.config)
        if config is None:
            continue
        try:
            with open_shard(folder, shard.path) as file:
                columns = pq.read_schema(file)
        except (FileNotFoundError, pa.ArrowException):
            continue  # `_read` makes a finding of it
        schema = as_written(config.schema, columns)
        fits = [not [*column_changes(arrow_schema(schema, is_wide=width), columns)] for width in (False, True)]
        if fits[0] != fits[1]:
            return fits[1]
    return False


def _read(
    folder: UPath, shard: Shard, dataset: Dataset[Any], is_wide: bool
) -> tuple[tuple[pl.DataFrame, pl.DataFrame] | None, list[Finding]]:
    """The shard's declared columns, completed and as written, or None if one does not fit, and the findings."""
    config = dataset.config(shard.config)
    if config is None:
        known = ", ".join(config.name for config in dataset.configs)
        return None, [Finding(file=shard.path, complaint=f"there is no config {shard.config}; declared are {known}")]
    try:
        with open_shard(folder, shard.path) as file:
            table = pq.read_table(file)
    except (OSError, pa.ArrowException) as bad:
        reason = "it is missing" if isinstance(bad, FileNotFoundError) else f"it cannot be read as Parquet: {bad}"
        return None, [Finding(file=shard.path, complaint=reason)]
    wrong = [
        Finding(file=shard.path, column=name, complaint=text)
        for name, text in column_complaints(table.schema, as_written(config.schema, table.schema), is_wide)
    ]
    columns, read = config.schema.columns, wide(pl.DataFrame(table))
    frame = config.schema.completed(read)
    fits = all(frame.schema.get(name) == column.dtype for name, column in columns.items())
    if not fits:
        return None, wrong
    return (frame.select(list(columns)), read.select([name for name in columns if name in read.columns])), wrong


def as_written(schema: Schema, columns: pa.Schema) -> Schema:
    """The declared schema without what was added since a file with these columns was written."""
    return schema.as_written(pl.DataFrame(columns.empty_table()).schema)


def column_complaints(actual: pa.Schema, schema: Schema, is_wide: bool) -> Iterator[tuple[str | None, str]]:
    """Yield column and complaint for every difference between a shard's columns and the declared ones."""
    declared = arrow_schema(schema, is_wide=is_wide)
    for change in column_changes(declared, actual):
        if change.after is None:
            yield change.name, f"it is missing; {schema.name} has it as {change.before}"
        elif change.before is None:
            yield change.name, f"{schema.name} has no such column"
        else:
            yield change.name, f"it is {change.after}; {schema.name} has it as {change.before}"
    if sorted(actual.names) == sorted(declared.names) and actual.names != declared.names:
        yield None, f"its columns are in another order than {', '.join(declared.names)}"
