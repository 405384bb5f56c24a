"""A version read back from its folder: manifest, and the rows of every shard that the manifest lists.

What cannot be read becomes a finding; knows nothing of what the rows mean.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import accumulate

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from releases.comparison.columns import column_changes
from releases.errors import UnknownRelease
from releases.manifest import FILE_NAME, Manifest, read_manifest
from releases.parquet import Shard, shards_of
from releases.schemas import PublishedSchema
from releases.verification.finding import Finding
from releases.verification.verifier import Verifier
from releases.verification.verifiers import verifier_of


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one config and split out of the shards that could be read; `ends` says where each shard ends."""

    config: str
    split: str
    rows: pl.DataFrame
    paths: tuple[str, ...]
    ends: tuple[int, ...]

    def finding(self, row: int, column: str | None, complaint: str) -> Finding:
        """A finding at a row of the part, placed in its file."""
        shard = bisect_right(self.ends, row)
        start = self.ends[shard - 1] if shard else 0
        return Finding(file=self.paths[shard], row=row - start, column=column, complaint=complaint)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRelease:
    """A version as it lies in `folder`; `complaints` say what could not be read or has other columns than declared."""

    folder: UPath
    manifest: Manifest
    verifier: Verifier
    parts: Mapping[str, Mapping[str, Part]]
    n_shards: int
    complaints: tuple[Finding, ...]

    @property
    def main(self) -> str:
        """The config that holds everything measured."""
        return next(iter(self.verifier.schemas))

    def is_whole(self, config: str) -> bool:
        """Whether every shard of a config that the manifest lists could be read."""
        read = {path for part in self.parts.get(config, {}).values() for path in part.paths}
        return read == {shard.path for shard in shards_of(self.manifest) if shard.config == config}

    def each_part(self) -> Iterator[Part]:
        """Every part, config by config."""
        for splits in self.parts.values():
            yield from splits.values()

    def rows(self, config: str) -> pl.DataFrame:
        """All rows of a config, split by split."""
        parts = self.parts.get(config, {})
        return pl.concat([part.rows for part in parts.values()]) if parts else pl.DataFrame()


def open_release(folder: UPath) -> OpenedRelease:
    """Read a version's folder; raises UnknownRelease where there is no manifest, or one of a dataset without checks."""
    manifest = manifest_in(folder)
    verifier = verifier_of(manifest.dataset)
    read: dict[tuple[str, str], list[tuple[str, pl.DataFrame]]] = {}
    complaints: list[Finding] = []
    listed = list(shards_of(manifest))
    for shard in listed:
        frame, wrong = _read(folder, shard, verifier.schemas)
        complaints += wrong
        if frame is not None:
            read.setdefault((shard.config, shard.split), []).append((shard.path, frame))
    parts: dict[str, dict[str, Part]] = {}
    for (config, split), found in read.items():
        parts.setdefault(config, {})[split] = _part(config, split, found)
    return OpenedRelease(
        folder=folder,
        manifest=manifest,
        verifier=verifier,
        parts=parts,
        n_shards=len(listed),
        complaints=tuple(complaints),
    )


def manifest_in(folder: UPath) -> Manifest:
    """The manifest of the version in `folder`; raises UnknownRelease where there is none."""
    path = folder / FILE_NAME
    if not path.exists():
        raise UnknownRelease(f"{folder} holds no {FILE_NAME}: name the folder of one version")
    return read_manifest(path.read_bytes(), where=str(path))


def _part(config: str, split: str, found: list[tuple[str, pl.DataFrame]]) -> Part:
    ends = accumulate(frame.height for _, frame in found)
    return Part(config, split, pl.concat([frame for _, frame in found]), tuple(path for path, _ in found), tuple(ends))


def _read(
    folder: UPath, shard: Shard, schemas: Mapping[str, PublishedSchema]
) -> tuple[pl.DataFrame | None, list[Finding]]:
    """The shard's declared columns, where all are there with their types, and what is wrong with it."""
    schema = schemas.get(shard.config)
    if schema is None:
        known = ", ".join(schemas)
        return None, [Finding(file=shard.path, complaint=f"there is no config {shard.config}; declared are {known}")]
    try:
        table = pq.read_table(BytesIO((folder / shard.path).read_bytes()))
    except (OSError, pa.ArrowException) as bad:
        reason = "it is missing" if isinstance(bad, FileNotFoundError) else f"it cannot be read as Parquet: {bad}"
        return None, [Finding(file=shard.path, complaint=reason)]
    wrong = [Finding(file=shard.path, column=name, complaint=text) for name, text in _unlike(table.schema, schema)]
    frame = pl.DataFrame(table)
    names = [column.name for column in schema.columns]
    fits = all(frame.schema.get(column.name) == column.dtype for column in schema.columns)
    return (frame.select(names) if fits else None), wrong


def _unlike(found: pa.Schema, schema: PublishedSchema) -> Iterator[tuple[str | None, str]]:
    """Column and complaint for everything in which a shard's columns are not the declared ones."""
    declared = schema.to_arrow()
    for change in column_changes(declared, found):
        if change.after is None:
            yield change.name, f"it is missing; {schema.name} has it as {change.before}"
        elif change.before is None:
            yield change.name, f"{schema.name} has no such column"
        else:
            yield change.name, f"it is {change.after}; {schema.name} has it as {change.before}"
    if sorted(found.names) == sorted(declared.names) and found.names != declared.names:
        yield None, f"its columns are in another order than {', '.join(declared.names)}"
