"""The result of a check: findings, each with its location and what was expected there."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from filters.widths import short

_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong in a release; `row` counts from 0 within the file."""

    file: str
    row: int | None = None
    column: str | None = None
    complaint: str

    def __str__(self) -> str:
        row = "" if self.row is None else f", row {self.row}"
        column = "" if self.column is None else f", column {self.column}"
        return f"{self.file}{row}{column}: {self.complaint}"


class Checked(NamedTuple):
    """The number and kind of items that a check looked at, and its findings."""

    n: int
    what: str
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, n: int, what: str, findings: Iterable[Finding]) -> Self:
        """Build a result from any iterable of findings."""
        return cls(n, what, tuple(findings))


def brief(value: Any) -> str:
    """A value's repr for a finding, truncated if it is long."""
    text = repr(short(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
