"""A split as Parquet shards: the same rows and schema give the same bytes. The paths of shards, written and read.

A path is `data/<config>/<split>-<number>-of-<total>.parquet`. Knows nothing of folders.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import NamedTuple

import polars as pl
import pyarrow.parquet as pq

from releases.manifest import Manifest
from releases.schemas import PublishedSchema

ROWS_PER_SHARD = 50_000
_ROWS_PER_GROUP = 1_000


def shards(
    frame: pl.DataFrame, schema: PublishedSchema, *, split: str, rows_per_shard: int = ROWS_PER_SHARD
) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each shard: `train-00000-of-00002.parquet`, ..."""
    total = -(-frame.height // rows_per_shard)
    for number, part in enumerate(frame.iter_slices(rows_per_shard)):
        yield f"{split}-{number:05d}-of-{total:05d}.parquet", _parquet(part, schema)


def _parquet(frame: pl.DataFrame, schema: PublishedSchema) -> bytes:
    # Through Arrow, since polars writes 64-bit offset types only, and those load as `large_string` and `LargeList`.
    target = BytesIO()
    table = frame.to_arrow().cast(schema.to_arrow())
    pq.write_table(table, target, compression="zstd", row_group_size=_ROWS_PER_GROUP)
    return target.getvalue()


_PATH = re.compile(r"data/([^/]+)/([a-z]+)-(\d{5})-of-(\d{5})\.parquet")


class Shard(NamedTuple):
    """What the path of a Parquet file says."""

    path: str
    config: str
    split: str
    number: int
    total: int

    @property
    def siblings(self) -> tuple[str, ...]:
        """The paths of all shards of its split, in order."""
        folder, _, _ = self.path.rpartition("/")
        return tuple(f"{folder}/{self.split}-{number:05d}-of-{self.total:05d}.parquet" for number in range(self.total))


def shards_of(manifest: Manifest) -> Iterator[Shard]:
    """The Parquet files that a manifest lists, in its order."""
    for file in manifest.files:
        found = _PATH.fullmatch(file.path)
        if found:
            yield Shard(file.path, found[1], found[2], int(found[3]), int(found[4]))
