"""A span of a source's rows: skip the first `offset`, then take at most `limit`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Skip `offset` rows, then take at most `limit`; None takes all."""

    offset: int = 0
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.offset < 0:
            raise ValueError(f"offset must be at least 0, got {self.offset}")
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"limit must be at least 1 or None, got {self.limit}")

    @property
    def rows(self) -> slice:
        """The span as a slice."""
        return slice(self.offset, None if self.limit is None else self.offset + self.limit)

    def of(self, rows: Iterable[T]) -> Iterator[T]:
        """The rows of the span, read no further than its end."""
        return islice(rows, self.rows.start, self.rows.stop)
