"""Changed drafts and folders, with every figure put right again that the change would give away besides."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
from upath import UPath

from generators.datasets import dataset_of
from releases.draft import Draft
from releases.manifest import FILE_NAME, file_facts, to_json


def with_cell(frame: pl.DataFrame, row: int, column: str, value: Any) -> pl.DataFrame:
    """The frame with one value changed."""
    rows = frame.to_dicts()
    rows[row][column] = value
    return pl.DataFrame(rows, schema=frame.schema)


def with_rows(draft: Draft, config: str, split: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Draft:
    """The draft with the rows of one split changed, and the labels counted again."""
    table = draft.tables[config]
    tables = {**draft.tables, config: replace(table, splits={**table.splits, split: change(table.splits[split])})}
    dataset = dataset_of(draft.dataset)
    assert dataset is not None
    counts = {name: dict(dataset.label_counts(part)) for name, part in tables["full"].splits.items()}
    return replace(draft, tables=tables, label_counts={name: labels for name, labels in counts.items() if labels})


def with_value(draft: Draft, config: str, split: str, row: int, column: str, value: Any) -> Draft:
    """The draft with one value changed."""
    return with_rows(draft, config, split, lambda frame: with_cell(frame, row, column, value))


def moved(draft: Draft, config: str, prompt: str, *, source: str, target: str) -> Draft:
    """The draft with the rows of one prompt in another split of a config."""
    leaked = draft.tables[config].splits[source].filter(pl.col("prompt") == prompt)
    assert leaked.height
    without = with_rows(draft, config, source, lambda frame: frame.filter(pl.col("prompt") != prompt))
    return with_rows(without, config, target, lambda frame: pl.concat([frame, leaked]))


def alone(folder: UPath, place: UPath) -> UPath:
    """A copy of a version away from its registry, whose index would tell of a changed manifest."""
    shutil.copytree(folder.path, place.path)
    return place


def with_manifest(folder: UPath, change: Callable[[dict[str, Any]], None]) -> UPath:
    """The folder with its manifest changed."""
    manifest = json.loads((folder / FILE_NAME).read_text())
    change(manifest)
    (folder / FILE_NAME).write_bytes(to_json(manifest))
    return folder


def with_file(folder: UPath, path: str, content: bytes) -> UPath:
    """The folder with a file written, and listed in the manifest with its size and digest."""
    facts = file_facts(path, content)
    listed = {"path": facts.path, "size": facts.size, "sha256": facts.sha256}
    (folder / path).write_bytes(content)

    def relist(told: dict[str, Any]) -> None:
        told["files"] = [listed if file["path"] == path else file for file in told["files"]]

    return with_manifest(folder, relist)
