"""What a dataset tells of itself, so that whoever has its releases can check and compare them.

Knows no dataset. The first config of a dataset holds what was measured. Its other configs follow from that one, but for
those that are named as measured themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import polars as pl

from filters.answers.verdicts import Verdict
from releases.facts import ReleaseFacts
from releases.schemas import PublishedSchema
from releases.splits import SplitShares


class Claim(NamedTuple):
    """What a row says of an answer: comparing that of `text` with `gold` came to `verdict`.

    `columns` are those of verdict and extracted answer; the second is None where the row keeps no such column.
    """

    row: int
    columns: tuple[str, str | None]
    text: str
    gold: str
    source: str
    verdict: str
    extracted: str | None


def sides(rows: pl.DataFrame, *, source: str, chosen: pl.Expr, rejected: pl.Expr) -> Iterator[Claim]:
    """Two claims a row: the text of `chosen` is right, that of `rejected` is not; each is named by its expression."""
    texts = rows.select("answer", pl.col(source), chosen, rejected)
    better, worse = texts.columns[2:]
    for number, (answer, origin, right, wrong) in enumerate(texts.iter_rows()):
        yield Claim(number, (better, None), right, answer, origin, Verdict.EQUAL.value, None)
        yield Claim(number, (worse, None), wrong, answer, origin, Verdict.DIFFERENT.value, None)


class MeasuredConfig(Protocol):
    """The checks of a config beside the first that holds measurements of its own."""

    def recomputed(self, rows: pl.DataFrame, facts: ReleaseFacts) -> pl.DataFrame:
        """The columns that follow from others, derived anew, one row for each of `rows`."""
        ...

    def claims(self, rows: pl.DataFrame, facts: ReleaseFacts) -> Iterator[Claim]:
        """The answers that rows say were decided."""
        ...


class Verifier(Protocol):
    """The checks of one dataset that need to know what its columns mean.

    Rows come as published, with the schema's columns and rules kept. What needs the manifest's facts raises
    IncompleteManifest where they lack something.
    """

    @property
    def schemas(self) -> Mapping[str, PublishedSchema]:
        """The declared schema of every config that there may be, in the order of a draft."""
        ...

    @property
    def keys(self) -> Mapping[str, tuple[str, ...]]:
        """The columns that name a row, by config; a config without such columns is left out."""
        ...

    @property
    def lengths(self) -> Sequence[str]:
        """The columns of the first config, lists or texts, whose lengths are worth a look."""
        ...

    @property
    def further(self) -> Mapping[str, MeasuredConfig]:
        """The configs that follow from no other one; empty for most datasets."""
        ...

    def shares(self, facts: ReleaseFacts) -> SplitShares:
        """The shares of the splits."""
        ...

    def recomputed(self, rows: pl.DataFrame, facts: ReleaseFacts) -> pl.DataFrame:
        """The columns of the first config that follow from others, derived anew, one row for each of `rows`."""
        ...

    def derived(self, rows: pl.DataFrame, facts: ReleaseFacts) -> Mapping[str, Mapping[str, pl.DataFrame]]:
        """The configs that are not measured by split, as they follow from all rows of the first."""
        ...

    def claims(self, rows: pl.DataFrame) -> Iterator[Claim]:
        """The answers that rows of the first config say were decided."""
        ...

    def label_counts(self, rows: pl.DataFrame) -> Mapping[str, int]:
        """How often each label occurs in rows of the first config, as the manifest counts."""
        ...


@runtime_checkable
class DerivesFiles(Protocol):
    """A verifier of a dataset that has files beside its tables."""

    def attachments(self, rows: pl.DataFrame, facts: ReleaseFacts) -> Mapping[str, bytes]:
        """The files by their path in the version's folder, as they follow from all rows of the first config."""
        ...
