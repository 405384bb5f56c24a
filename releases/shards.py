"""The Parquet files of a version by their paths: `data/<config>/<split>-<number>-of-<total>.parquet`.

Knows names only; `releases.parquet` writes what they hold.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from releases.manifest import Manifest

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
