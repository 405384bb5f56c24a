"""Measures the files of a release: their size, and how much of a second version is new to the Hub's storage.

The rows are those of released datasets, each varied many times: other digits in its texts, other token ids, other
floats. They make a first version of ten slices, and three second ones: with a slice more, with a slice made again, and
with a second round, whose problems are the same and whose solutions are all new. Both versions go through the client
that uploads to the Hub, into a store on this disk; it cuts files into chunks of some 64 kB and keeps each chunk once.
Where `--releases` holds two versions of a dataset, their own files are measured too. The last line is JSON.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import hf_xet
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from filters.schema import Schema
from generators.columns import PROBLEM
from generators.datasets import DATASETS
from generators.rows import Rows
from releases.manifest import FILE_NAME
from releases.measuring import ordered
from releases.parquet import CHUNKING_KEY, arrow_schema, shards
from releases.verification.opened import open_release
from releases.version import Version

SLICES = 10
_VOCABULARY = 49_152
_KEPT_IDS = 64  # smaller integers are counts and indices as often as ids
Write = Callable[[pl.DataFrame, Schema], list[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The bytes of a version, and those of them that the store did not have."""

    total: int
    new: int

    def figures(self) -> dict[str, float]:
        return {"new_megabytes": round(self.new / 1e6, 2), "share": round(self.new / self.total, 3)}


def upload(files: Sequence[bytes], *, after: Sequence[bytes]) -> Upload:
    """Upload the files of a version into a store on this disk that has those of the version before it."""
    session = hf_xet.XetSession()
    with tempfile.TemporaryDirectory() as store:
        for contents in (after, files):
            commit = session.new_upload_commit(endpoint=f"local://{store}")
            for number, content in enumerate(contents):
                commit.start_upload_bytes(content, sha256=hf_xet.SKIP_SHA256, name=str(number))
            metrics = commit.wait_to_finish().dedup_metrics
    return Upload(total=metrics.total_bytes, new=metrics.new_bytes)


def varied(rows: pl.DataFrame, seed: str, *, is_round: bool = False) -> pl.DataFrame:
    """The rows with other digits, token ids and floats, as new problems or as a second round of theirs."""
    kept = set(PROBLEM) if is_round else set()
    return pl.DataFrame([_varied_row(row, seed, kept) for row in rows.iter_rows(named=True)], schema=rows.schema)


def _varied_row(row: Mapping[str, Any], seed: str, kept: set[str]) -> dict[str, Any]:
    problem = row["problem_id"]
    random = Random(f"{seed} {row}")
    digits = random.sample("0123456789", 10)
    table, step = str.maketrans("0123456789", "".join(digits)), random.randrange(1, _VOCABULARY, 2)

    def vary(value: Any) -> Any:
        match value:
            case bool() | None:
                return value
            case str():
                return value.translate(table)
            case int():
                return value if value < _KEPT_IDS else _KEPT_IDS + value * step % _VOCABULARY
            case float():
                return value if value in (0.0, 1.0) else min(max(value + random.gauss(0, 0.01), 0.0), 1.0)
            case list():
                return [vary(item) for item in value]
            case dict():
                return {name: vary(item) for name, item in value.items()}
        raise TypeError(f"no way to vary {value!r}")

    other = {name: value if name in kept else vary(value) for name, value in row.items()}
    new_id = problem if kept else sha256(f"{seed} {problem}".encode()).hexdigest()[: len(problem)]
    return {**other, "problem_id": new_id, "slice": row["slice"]}


def block(rows: pl.DataFrame, number: str, seed: str, copies: int) -> pl.DataFrame:
    """One slice: the rows, varied so many times. One or a few are missing, since no two slices have as many rows."""
    every = pl.concat(varied(rows, f"{seed}-{copy}") for copy in range(copies))
    return every.with_columns(slice=pl.lit(f"source-{number}")).slice(1 + len(seed))


def second_versions(rows: pl.DataFrame, copies: int) -> dict[str, tuple[pl.DataFrame, pl.DataFrame]]:
    """A first version and a second one, by what the second one is, in no order yet."""
    slices = [block(rows, str(number), str(number), copies) for number in range(SLICES)]
    middle = SLICES // 2
    again = block(rows, str(middle), "again", copies)
    first = pl.concat(slices)
    return {
        "a slice more": (first, pl.concat([*slices, block(rows, f"{middle - 1}5", "more", copies)])),
        "a slice made again": (first, pl.concat([*slices[:middle], again, *slices[middle + 1 :]])),
        "a second round": (first, varied(first, "round", is_round=True).with_columns(round=pl.lit("second"))),
    }


def in_our_files(rows: pl.DataFrame, schema: Schema) -> list[bytes]:
    """As a release holds them."""
    return [content for _, content in shards(Rows.of(rows), schema, split="train")]


def without_chunking(rows: pl.DataFrame, schema: Schema) -> list[bytes]:
    """As a release holds them, but pages end at fixed sizes."""
    return [_plain(rows, arrow_schema(schema), use_dictionary=False)]


def with_wide_numbers(rows: pl.DataFrame, schema: Schema) -> list[bytes]:
    """The same with 64-bit numbers."""
    return [_plain(rows, arrow_schema(schema, is_wide=True), use_dictionary=False)]


def with_dictionaries(rows: pl.DataFrame, schema: Schema) -> list[bytes]:
    """64-bit numbers, dictionaries and row groups of 1,000 rows, as before there was chunking."""
    return [_plain(rows, arrow_schema(schema, is_wide=True), row_group_size=1_000)]


def _plain(rows: pl.DataFrame, columns: pa.Schema, **how: Any) -> bytes:
    target = BytesIO()
    pq.write_table(rows.to_arrow().cast(columns), target, compression="zstd", **how)
    return target.getvalue()


WRITERS: tuple[Write, ...] = (in_our_files, without_chunking, with_dictionaries)


def figures(rows: pl.DataFrame, schema: Schema, copies: int) -> dict[str, Any]:
    """Sizes, and shares of new bytes in second versions, of one config's rows."""
    key = schema.key
    versions = second_versions(rows, copies)
    first = ordered(versions["a slice more"][0], key)
    sizes = {write.__name__: sum(map(len, write(first, schema))) for write in (*WRITERS, with_wide_numbers)}
    second: dict[str, Any] = {}
    for name, (before, after) in versions.items():
        known = set(before.hash_rows())
        second[name] = {"new_rows": round(sum(row not in known for row in after.hash_rows()) / after.height, 3)}
        for write in WRITERS:
            old, new = (write(ordered(version, key), schema) for version in (before, after))
            second[name][write.__name__] = upload(new, after=old).figures()
        old, new = (in_our_files(version.sort(key), schema) for version in (before, after))
        second[name]["in_our_files, by key alone"] = upload(new, after=old).figures()
    return {
        "rows": first.height,
        "megabytes": {name: round(size / 1e6, 2) for name, size in sizes.items()},
        "size_32_over_64": round(sizes["without_chunking"] / sizes["with_wide_numbers"], 3),
        "size_over_before": round(sizes["in_our_files"] / sizes["with_dictionaries"], 3),
        "second_version": second,
        **structure(in_our_files(first, schema)),
    }


def structure(files: Sequence[bytes]) -> dict[str, Any]:
    """Whether every column of every file has a page index, whether the files name their chunking, and row groups."""
    read = [pq.read_metadata(BytesIO(content)) for content in files]
    groups = [metadata.row_group(number) for metadata in read for number in range(metadata.num_row_groups)]
    columns = [group.column(number) for group in groups for number in range(group.num_columns)]
    return {
        "page_index": all(column.has_offset_index and column.has_column_index for column in columns),
        "chunking_named": all(CHUNKING_KEY.encode() in metadata.metadata for metadata in read),
        "row_groups": len(groups),
        "largest_row_group_megabytes": round(max(group.total_byte_size for group in groups) / 1e6, 2),
    }


def of_two_versions(first: UPath, second: UPath) -> dict[str, Any]:
    """How much of a released version is new after the one before it, by the files as they are."""
    old, new = (
        [path.read_bytes() for path in sorted((folder / "data").rglob("*.parquet"))] for folder in (first, second)
    )
    return {"versions": [first.name, second.name], **upload(new, after=old).figures(), **structure(new)}


def versions_in(folder: UPath) -> list[UPath]:
    """The folders of a dataset's versions, oldest first."""
    found = [path for path in folder.iterdir() if (path / FILE_NAME).is_file()] if folder.is_dir() else []
    return sorted(found, key=lambda path: Version.parse(path.name))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--releases", type=Path, default=Path("data/releases"), help="a registry on this disk")
    parser.add_argument("--rows", type=int, default=20_000, help="rows of a first version")
    arguments = parser.parse_args()
    results: dict[str, Any] = {}
    for dataset in DATASETS:
        versions = versions_in(UPath(arguments.releases / dataset.name))
        if not versions:
            continue
        release = open_release(versions[-1])
        rows = release.existing_rows(dataset.main.name)
        copies = max(1, arguments.rows // (rows.height * SLICES))
        results[dataset.name] = figures(rows, dataset.main.schema, copies)
        if len(versions) > 1:
            results[dataset.name]["released"] = of_two_versions(*versions[-2:])
        print(dataset.name, json.dumps(results[dataset.name]), flush=True)
    if not results:
        parser.error(f"{arguments.releases} holds no version of {', '.join(d.name for d in DATASETS)}: run `make demo`")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
