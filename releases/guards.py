"""The checks a registry makes before it publishes a draft.

It refuses columns that change within a major number, problems that are held out in one dataset and trained on in
another, and sources whose licences forbid a release.
"""

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from releases.comparison.columns import column_changes
from releases.door.plain_files import read_plain
from releases.door.shards import open_shard
from releases.draft import Draft
from releases.errors import ColumnsChanged, LicenceForbids, SplitsDisagree
from releases.licences import refusal
from releases.manifest import FILE_NAME, Manifest, read_manifest
from releases.parquet import arrow_schema, shards_of
from releases.version import Version

_APART = {"train": "test", "test": "train"}
_SHOWN = 3


def guard(draft: Draft, number: Version, root: UPath) -> None:
    """Refuse `draft` as version `number` if it conflicts with the versions below `root`.

    Raises LicenceForbids if a source's licence does not allow the release, ColumnsChanged if the columns differ from
    those of the last version with the same major number, and SplitsDisagree if a problem is in `test` here and in
    `train` of another dataset's last version, or the other way round.
    """
    _guard_licences(draft)
    _guard_columns(draft, number, root / draft.dataset)
    problems = _problems_of(draft)
    for folder in sorted(root.iterdir(), key=str) if root.is_dir() else ():
        if folder.name != draft.dataset and (versions := _versions(folder)):
            last = max(versions)
            _guard_splits(draft, problems, f"{folder.name} {last}", _released_problems(folder, versions[last]))


def _guard_licences(draft: Draft) -> None:
    if draft.facts.licences == "mark":
        return
    refused = refusal({source.name: source.licence for source in draft.facts.sources})
    if refused:
        raise LicenceForbids(f"{draft.dataset}: {refused}")


def _guard_columns(draft: Draft, number: Version, folder: UPath) -> None:
    versions = _versions(folder)
    same_major = [version for version in versions if version.major == number.major]
    if not same_major:
        return
    last = max(same_major)
    before = dict(_released_schemas(folder, versions[last]))
    for config, table in draft.tables.items():
        changes = [*column_changes(before[config], arrow_schema(table.schema))] if config in before else []
        if changes:
            # A correction of an old round may belong under a newer major number that already exists.
            major = max(number.major + 1, *(version.major for version in versions))
            raise ColumnsChanged(
                f"{draft.dataset} {number}, config {config}: {', '.join(map(str, changes))} since {last}. Columns "
                f"change with a major number only: set {draft.dataset} = {major} in [releases.major] of the settings, "
                "or publish the previous columns"
            )


def _guard_splits(draft: Draft, problems: Mapping[str, set[str]], other: str, theirs: Mapping[str, set[str]]) -> None:
    for split, opposite in _APART.items():
        both = sorted(problems[split] & theirs[opposite])
        if both:
            shown = ", ".join(both[:_SHOWN]) + (", ..." if len(both) > _SHOWN else "")
            raise SplitsDisagree(
                f"{draft.dataset}: {len(both)} problems are in {split} here and in {opposite} of {other}: {shown}. "
                "All datasets of a registry must split problems alike: publish with the split shares of the others, or "
                "into a registry of its own"
            )


def _problems_of(draft: Draft) -> dict[str, set[str]]:
    """The problem ids of a draft by split, from every config that has them."""
    problems: dict[str, set[str]] = {split: set() for split in _APART}
    for table in draft.tables.values():
        for split in _APART.keys() & table.splits.keys():
            if "problem_id" in table.schema.columns:
                problems[split] |= set(table.stored(split).only("problem_id")["problem_id"])
    return problems


def _released_problems(folder: UPath, manifest: Manifest) -> dict[str, set[str]]:
    """The problem ids of a version by split, from every config that has them."""
    problems: dict[str, set[str]] = {split: set() for split in _APART}
    with_ids = {config for config, schema in _released_schemas(folder, manifest) if "problem_id" in schema.names}
    for shard in shards_of(manifest):
        if shard.config in with_ids and shard.split in problems:
            with open_shard(folder / manifest.version, shard.path) as source:
                ids = pq.ParquetFile(source).read(columns=["problem_id"])  # no other column of the file
                problems[shard.split] |= set(ids["problem_id"].to_pylist())
    return problems


def _released_schemas(folder: UPath, manifest: Manifest) -> Iterator[tuple[str, pa.Schema]]:
    """Yield each config of a version with the columns of its first file."""
    seen: set[str] = set()
    for shard in shards_of(manifest):
        if shard.config not in seen:
            seen.add(shard.config)
            with open_shard(folder / manifest.version, shard.path) as source:
                yield shard.config, pq.read_schema(source)


def _versions(folder: UPath) -> dict[Version, Manifest]:
    """Every complete version in a dataset's folder."""
    if not folder.is_dir():
        return {}
    versions = {}
    for child in folder.iterdir():
        if Version.is_version(child.name) and (content := read_plain(child, FILE_NAME)) is not None:
            versions[Version.parse(child.name)] = read_manifest(content, where=f"{child}/{FILE_NAME}")
    return versions
