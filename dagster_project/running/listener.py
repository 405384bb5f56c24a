"""The only way from a round that is being made to whoever shows it: a panel, lines on a pipe, a test."""

from collections.abc import Sequence
from dataclasses import dataclass

from generators.sampling.progress import Snapshot


@dataclass(frozen=True, slots=True)
class Table:
    """A table or a release that is made: the asset, and the slice, or the round of a release."""

    asset: str
    partition: str

    def __str__(self) -> str:
        """Name the asset and its partition, as the Dagster UI does."""
        return f"{self.asset} [{self.partition}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A table that was made to the end.

    `yielded` is the share of problems with a row, None for a release. `path` and `hub` say where it is. `version` is
    that of a release, which was there already unless it `is_new`. `is_blocked` says whether a check of it keeps back
    what is made from it.
    """

    table: Table
    rows: int
    seconds: float
    path: str
    yielded: float | None = None
    rollouts_drawn: int = 0
    rollouts_from_ledger: int = 0
    tokens: int = 0
    tokens_per_second: float = 0.0
    version: str | None = None
    hub: str | None = None
    is_new: bool = True
    is_blocked: bool = False


class Listener:
    """Hears what happens to each table, from any thread, and does nothing about it: override what you need."""

    def planned(self, tables: Sequence[Table]) -> None:
        """These tables will be made, in this order."""

    def skipped(self, table: Table, why: str) -> None:
        """The table is not made in this run, for a reason such as `kept, since finished and fresh`."""

    def started(self, table: Table) -> None:
        """Work on the table has begun."""

    def progressed(self, table: Table, snapshot: Snapshot) -> None:
        """So far is the sampling for the table."""

    def said(self, table: Table, line: str) -> None:
        """What the table's stage is doing, such as waiting for a server."""

    def warned(self, table: Table, line: str) -> None:
        """A warning of the table's stage, or a failed check of the table with its remedy."""

    def finished(self, made: Made) -> None:
        """The table is made, and its checks are done."""

    def failed(self, table: Table, why: str) -> None:
        """The table could not be made, for a reason in one sentence."""


NOBODY = Listener()
