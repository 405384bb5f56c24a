"""A release before it has a version: tables by config and split, facts, and the dataset's part of the card."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

import polars as pl

from filters.schema import Schema
from filters.widths import narrow
from generators.card import Card
from generators.formats import Format
from releases.facts import ReleaseFacts
from releases.figures import DrawnPicture


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One config: its schema, its purpose, the format that trainers read, and the rows of each non-empty split."""

    schema: Schema
    purpose: str
    splits: Mapping[str, pl.DataFrame]
    format: Format | None = None

    @property
    def rows(self) -> dict[str, int]:
        """The number of rows of each split."""
        return {name: frame.height for name, frame in self.splits.items()}


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Everything in a version except its number.

    `examples` are a few rows of the first config in its short columns. `label_counts` counts each label value per
    split. `attachments` are further files derived from the rows, by path. `major` is the lowest major number that the
    version may have.
    """

    dataset: str
    card: Card
    tables: Mapping[str, Table]
    facts: ReleaseFacts
    examples: pl.DataFrame = field(default_factory=pl.DataFrame)
    label_counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    pictures: tuple[DrawnPicture, ...] = ()
    attachments: Mapping[str, bytes] = field(default_factory=dict)
    major: int = 0

    @cached_property
    def content(self) -> str:
        """A digest of every table's columns, types and rows: equal rows have equal content, whatever wrote them."""
        return digest_of(
            (config, split, table.schema, narrow(frame))
            for config, table in self.tables.items()
            for split, frame in table.splits.items()
        )


def digest_of(parts: Iterable[tuple[str, str, Schema, pl.DataFrame]]) -> str:
    """The digest of tables given as (config, split, schema, rows), in this order, with the types as in the files."""
    digest = sha256()
    for config, split, schema, frame in parts:
        columns = ", ".join(
            f"{name} {column.in_words(frame.schema[name])}"
            for name, column in schema.columns.items()
            if name in frame.columns  # files of an older stepmill lack what was added since
        )
        digest.update(f"{config}/{split}: {columns}\n".encode())
        for part in frame.iter_slices():
            digest.update(part.write_ndjson().encode())
    return digest.hexdigest()
