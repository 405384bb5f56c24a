"""A sequence of token ids, four bytes each: it compares, slices and adds as a tuple of numbers does.

A slice is a view of the same memory. So the tokens of a whole table lie in one buffer, and every record of it points
into that buffer.
"""

from __future__ import annotations  # array[int] cannot be evaluated at run time before Python 3.12

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, overload

FORMAT: Literal["I"] = "I"  # unsigned, four bytes, in the order of this machine's bytes


class TokenIds(Sequence[int]):
    """An immutable sequence of token ids from 0 to 2^32 - 1; raises OverflowError or TypeError for anything else.

    `ids` may be a buffer of unsigned 32-bit numbers, which is not copied and must not change.
    """

    __slots__ = ("_view",)

    def __init__(self, ids: Iterable[int] | memoryview = ()) -> None:
        if isinstance(ids, TokenIds):
            self._view: memoryview = ids._view
        elif isinstance(ids, memoryview):
            self._view = ids.cast("B").cast(FORMAT)
        else:
            self._view = memoryview(array(FORMAT, ids))

    def __len__(self) -> int:
        return len(self._view)

    @overload
    def __getitem__(self, place: int) -> int: ...

    @overload
    def __getitem__(self, place: slice) -> TokenIds: ...

    def __getitem__(self, place: int | slice) -> int | TokenIds:
        if not isinstance(place, slice):
            return self._view[place]
        if place.step not in (None, 1):
            return TokenIds(self._view.tolist()[place])
        shorter = TokenIds.__new__(TokenIds)
        shorter._view = self._view[place]
        return shorter

    def __iter__(self) -> Iterator[int]:
        return iter(self._view)

    def __add__(self, other: Iterable[int]) -> TokenIds:
        joined = array(FORMAT)
        joined.frombytes(self._view.cast("B"))
        joined.frombytes(TokenIds(other)._view.cast("B"))
        return TokenIds(memoryview(joined))

    def __radd__(self, other: Iterable[int]) -> TokenIds:
        return TokenIds(other) + self

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TokenIds):
            return self._view == other._view
        return self.to_tuple() == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.to_tuple())  # equal to the hash of the tuple, as the two compare equal

    def __repr__(self) -> str:
        return f"TokenIds({self._view.tolist()})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_bytes, (self.tobytes(),)

    def to_list(self) -> list[int]:
        """The ids as numbers of Python."""
        return self._view.tolist()

    def to_tuple(self) -> tuple[int, ...]:
        """The ids as a tuple."""
        return tuple(self._view.tolist())

    def tobytes(self) -> bytes:
        """The ids as bytes, four for each."""
        return self._view.tobytes()

    @property
    def view(self) -> memoryview:
        """The memory that holds the ids, for libraries that read buffers; it must not be written to."""
        return self._view


def joined(parts: Iterable[TokenIds]) -> TokenIds:
    """The ids of several sequences one behind another, each copied once."""
    whole = array(FORMAT)
    for part in parts:
        whole.frombytes(part.view.cast("B"))
    return TokenIds(memoryview(whole))


Ids = TokenIds | tuple[int, ...]  # what takes token ids takes both, and either adds to the other


def _from_bytes(content: bytes) -> TokenIds:
    return TokenIds(memoryview(content))
