"""A release before it has a version: tables by config and split, facts, and the dataset's part of the card."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

import polars as pl

from filters.schema import Schema
from filters.widths import narrow, wide
from generators.card import Card
from generators.formats import Format
from generators.rows import Rows
from releases.facts import ReleaseFacts
from releases.figures import DrawnPicture
from releases.spool import Spool


class StoredSplits(Mapping[str, pl.DataFrame]):
    """The rows of each split on spools, which hold them as the files of a release do.

    A split's rows are read by its name, all of them; `Table.stored` reads them block by block.
    """

    def __init__(self, spools: Mapping[str, Spool], schema: Schema) -> None:
        self._spools, self._schema = spools, schema

    def __getitem__(self, split: str) -> pl.DataFrame:
        return self._schema.completed(wide(self._spools[split].rows().only()))

    def __iter__(self) -> Iterator[str]:
        return iter(self._spools)

    def __len__(self) -> int:
        return len(self._spools)

    def rows(self, split: str) -> Rows:
        """The rows of a split, as files hold them."""
        return self._spools[split].rows()


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
        return {split: self.stored(split).height for split in self.splits}

    def stored(self, split: str) -> Rows:
        """The rows of a split block by block, with the numbers that the files hold."""
        if isinstance(self.splits, StoredSplits):
            return self.splits.rows(split)
        return Rows.of(narrow(self.splits[split]))

    def stored_rows(self) -> Rows:
        """The rows of all splits, as `stored`."""
        return Rows.chained([self.stored(split) for split in self.splits])

    def computed(self, *splits: str) -> Rows:
        """The rows of some splits, or of all, block by block, with 64-bit numbers to compute with."""
        stored = Rows.chained([self.stored(split) for split in splits or self.splits])
        return Rows(lambda columns: (self._computed(block, columns) for block in stored.read(columns)), stored.height)

    def _computed(self, block: pl.DataFrame, columns: Sequence[str] | None) -> pl.DataFrame:
        rows = self.schema.completed(wide(block))
        return rows.select(columns) if columns else rows


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
            (config, split, table.schema, table.stored(split).blocks())
            for config, table in self.tables.items()
            for split in table.splits
        )


def digest_of(parts: Iterable[tuple[str, str, Schema, Iterable[pl.DataFrame]]]) -> str:
    """The digest of tables given as (config, split, schema, blocks of rows), in this order, with the files' types.

    How rows lie in blocks does not count, so a digest is that of any version with the same rows, old or new.
    """
    digest = sha256()
    for config, split, schema, blocks in parts:
        for number, block in enumerate(blocks):
            if not number:
                digest.update(f"{config}/{split}: {_columns(schema, block)}\n".encode())
            digest.update(block.write_ndjson().encode())
    return digest.hexdigest()


def _columns(schema: Schema, block: pl.DataFrame) -> str:
    return ", ".join(
        f"{name} {column.in_words(block.schema[name])}"
        for name, column in schema.columns.items()
        if name in block.columns  # files of an older stepmill lack what was added since
    )
