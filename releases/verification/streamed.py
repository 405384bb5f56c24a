"""A version read block by block: the manifest, and which of its shards can be read; no split is ever in memory whole.

A shard that cannot be read becomes a finding. `releases.verification.opened` has whole rows, for those who show them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa
from upath import UPath

from filters.schema import Schema
from filters.widths import narrow, wide
from generators.dataset import Dataset
from generators.rows import Rows
from releases.manifest import Manifest
from releases.parquet import Shard, shards_of
from releases.shard_blocks import blocks_in, schema_of
from releases.verification.finding import Finding
from releases.verification.opened import as_written, column_complaints, has_wide_numbers, known_dataset, manifest_in


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadableShard:
    """A shard below `folder` that can be read, and the number of its rows."""

    shard: Shard
    folder: UPath
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Some rows of one shard, the first of which is row `start` of it.

    `rows` have all declared columns and 64-bit numbers, to compute with; `stored` is what the file holds of them.
    """

    config: str
    split: str
    path: str
    start: int
    rows: pl.DataFrame
    stored: pl.DataFrame

    def has(self, column: str) -> bool:
        """Whether the file has a column."""
        return column in self.stored.columns

    def finding(self, row: int, column: str | None, complaint: str) -> Finding:
        """A finding at a row of the block, located in its file."""
        return Finding(file=self.path, row=self.start + row, column=column, complaint=complaint)


class Place(NamedTuple):
    """A row of a version: its file and its number in it."""

    path: str
    row: int


@dataclass(frozen=True, kw_only=True)
class StreamedRelease:
    """A version in `folder`; `complaints` list the shards that are unreadable or have undeclared columns."""

    folder: UPath
    manifest: Manifest
    dataset: Dataset[Any]
    shards: tuple[ReadableShard, ...]
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
        read = {one.shard.path for one in self._of(config)}
        return read == {shard.path for shard in shards_of(self.manifest) if shard.config == config}

    def heights(self) -> dict[tuple[str, str], int]:
        """How many rows could be read, by config and split."""
        heights: dict[tuple[str, str], int] = {}
        for one in self.shards:
            name = one.shard.config, one.shard.split
            heights[name] = heights.get(name, 0) + one.height
        return heights

    def splits(self, config: str) -> list[str]:
        """The splits of a config of which a shard could be read."""
        return list(dict.fromkeys(one.shard.split for one in self._of(config)))

    def blocks(self, config: str | None = None, split: str | None = None) -> Iterator[Block]:
        """Yield the rows of a config, or of all; of one split, or of all."""
        for one in self._of(config, split):
            yield from _blocks(one, self.schema(one.shard.config))

    def rows(self, config: str, split: str | None = None) -> Rows:
        """The rows of a config with all declared columns and 64-bit numbers, as often as they are asked for."""
        shards, schema = self._of(config, split), self.schema(config)
        return Rows(
            lambda columns: (block.rows for one in shards for block in _blocks(one, schema, columns)),
            sum(one.height for one in shards),
        )

    def narrow_rows(self, config: str, split: str) -> Rows:
        """As `rows`, with the 32-bit numbers of a release."""
        rows = self.rows(config, split)
        return Rows(lambda columns: map(narrow, rows.blocks(*(columns or ()))), rows.height)

    def place(self, config: str, number: int, split: str | None = None) -> Place:
        """Where a row is, by its number in `rows`."""
        for one in self._of(config, split):
            if number < one.height:
                return Place(one.shard.path, number)
            number -= one.height
        raise IndexError(f"{config} has no row {number}")

    def _of(self, config: str | None, split: str | None = None) -> list[ReadableShard]:
        return [one for one in self.shards if config in (None, one.shard.config) and split in (None, one.shard.split)]


def open_blockwise(folder: UPath) -> StreamedRelease:
    """Look at every shard of a version once; raises UnknownRelease if it has no manifest or the dataset is unknown."""
    manifest = manifest_in(folder)
    dataset = known_dataset(manifest.dataset)
    listed = list(shards_of(manifest))
    is_wide = has_wide_numbers(folder, listed, dataset)
    readable: list[ReadableShard] = []
    complaints: list[Finding] = []
    for shard in listed:
        one, wrong = _looked_at(folder, shard, dataset, is_wide)
        complaints += wrong
        readable += [one] if one else []
    return StreamedRelease(
        folder=folder,
        manifest=manifest,
        dataset=dataset,
        shards=tuple(readable),
        n_shards=len(listed),
        complaints=tuple(complaints),
    )


def _looked_at(
    folder: UPath, shard: Shard, dataset: Dataset[Any], is_wide: bool
) -> tuple[ReadableShard | None, list[Finding]]:
    """The shard, or None if it cannot be read or lacks a declared column, and the findings."""
    config = dataset.config(shard.config)
    if config is None:
        known = ", ".join(config.name for config in dataset.configs)
        return None, [Finding(file=shard.path, complaint=f"there is no config {shard.config}; declared are {known}")]
    try:
        columns = schema_of(folder, shard.path)
        height = sum(block.height for block in blocks_in(folder, shard.path))
    except (OSError, pa.ArrowException) as bad:
        reason = "it is missing" if isinstance(bad, FileNotFoundError) else f"it cannot be read as Parquet: {bad}"
        return None, [Finding(file=shard.path, complaint=reason)]
    wrong = [
        Finding(file=shard.path, column=name, complaint=text)
        for name, text in column_complaints(columns, as_written(config.schema, columns), is_wide)
    ]
    completed = config.schema.completed(wide(pl.DataFrame(columns.empty_table())))
    fits = all(completed.schema.get(name) == column.dtype for name, column in config.schema.columns.items())
    return ReadableShard(shard=shard, folder=folder, height=height) if fits else None, wrong


def _blocks(one: ReadableShard, schema: Schema, columns: Sequence[str] | None = None) -> Iterator[Block]:
    present = set(schema_of(one.folder, one.shard.path).names)
    wanted = [name for name in columns or schema.columns if name in present]
    start = 0
    for stored in blocks_in(one.folder, one.shard.path, wanted):
        rows = schema.completed(wide(stored)).select(columns or list(schema.columns))
        yield Block(
            config=one.shard.config, split=one.shard.split, path=one.shard.path, start=start, rows=rows, stored=stored
        )
        start += rows.height
