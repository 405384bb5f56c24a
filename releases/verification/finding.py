"""What a check of a release comes to: findings, each with its place and what was expected there.

Knows no check.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in a release that is not as it should be; `row` counts from 0 in the file."""

    file: str
    row: int | None = None
    column: str | None = None
    complaint: str

    def __str__(self) -> str:
        row = "" if self.row is None else f", row {self.row}"
        column = "" if self.column is None else f", column {self.column}"
        return f"{self.file}{row}{column}: {self.complaint}"


class Checked(NamedTuple):
    """How many of what a check looked at, and what it found."""

    n: int
    what: str
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, n: int, what: str, findings: Iterable[Finding]) -> Self:
        """The same, from any findings."""
        return cls(n, what, tuple(findings))


def brief(value: Any) -> str:
    """A value as a finding shows it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
