"""A release before it has a version: tables by config and split, the facts, and what the card says of the dataset.

Knows nothing of folders, versions or how a card looks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

import polars as pl

from releases.facts import ReleaseFacts
from releases.schemas import PublishedSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper to cite, by its arXiv number."""

    authors: str
    title: str
    year: int
    arxiv: str


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What stays the same from version to version of a dataset: its name and what a reader must know."""

    dataset: str
    pretty_name: str
    summary: str
    recipe: str
    limits: tuple[str, ...]
    papers: tuple[Paper, ...]
    task_categories: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One config: its schema, what it is for, and the rows of each split that has any."""

    schema: PublishedSchema
    purpose: str
    splits: Mapping[str, pl.DataFrame]

    @property
    def rows(self) -> dict[str, int]:
        """The number of rows of each split."""
        return {name: frame.height for name, frame in self.splits.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A PNG for the card."""

    name: str
    caption: str
    png: bytes


@dataclass(frozen=True, kw_only=True)
class Draft:
    """All that a version is made of, except its number.

    `label_counts` has for each split how often each label value occurs; `example` is a line of Python that looks at
    a loaded split named `rows`. `attachments` are files beside the tables, by their path, that follow from the rows.
    `major` is the least major number that it may have.
    """

    about: About
    tables: Mapping[str, Table]
    facts: ReleaseFacts
    label_counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    example: str = "print(rows[0])"
    attachments: Mapping[str, bytes] = field(default_factory=dict)
    major: int = 0

    @property
    def dataset(self) -> str:
        return self.about.dataset

    @cached_property
    def content(self) -> str:
        """A digest of every table's columns, types and rows: equal rows have equal content, whatever wrote them."""
        return digest_of(
            (config, split, table.schema, frame)
            for config, table in self.tables.items()
            for split, frame in table.splits.items()
        )


def digest_of(parts: Iterable[tuple[str, str, PublishedSchema, pl.DataFrame]]) -> str:
    """A digest of the rows of each config and split, in the draft's order of them."""
    digest = sha256()
    for config, split, schema, frame in parts:
        columns = ", ".join(f"{column.name} {column.words}" for column in schema.columns)
        digest.update(f"{config}/{split}: {columns}\n".encode())
        for part in frame.iter_slices():
            digest.update(part.write_ndjson().encode())
    return digest.hexdigest()
