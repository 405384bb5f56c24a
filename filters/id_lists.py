"""Columns of token ids built from flat memory: the ids of all rows one behind another, and where each row begins."""

from array import array
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import polars as pl
import pyarrow as pa

ID_LIST = pl.List(pl.UInt32)


@runtime_checkable
class HoldsIds(Protocol):
    """A sequence of token ids that knows its own memory: unsigned numbers of four bytes each."""

    @property
    def view(self) -> memoryview: ...


def id_lists(name: str, rows: Sequence[Sequence[int] | HoldsIds | None]) -> pl.Series:
    """A column of token ids, one list for each row, in four bytes an id; raises OverflowError beyond 32 bits.

    Memory that is there already is copied once; no number of Python is made for an id.
    """
    if any(ids is None or (isinstance(ids, list) and None in ids) for ids in rows):
        return pl.Series(name, [None if ids is None else list(_numbers(ids)) for ids in rows], dtype=ID_LIST)
    flat, offsets = array("I"), array("q", [0])
    for ids in rows:
        if isinstance(ids, HoldsIds):
            flat.frombytes(ids.view.cast("B"))
        elif ids is not None:
            flat.extend(ids)
        offsets.append(len(flat))
    values = pa.Array.from_buffers(pa.uint32(), len(flat), [None, pa.py_buffer(flat)])
    starts = pa.Array.from_buffers(pa.int64(), len(offsets), [None, pa.py_buffer(offsets)])
    return pl.Series(name, pa.LargeListArray.from_arrays(starts, values), dtype=ID_LIST)


def _numbers(ids: Sequence[int] | HoldsIds) -> Sequence[int]:
    return ids.view.tolist() if isinstance(ids, HoldsIds) else ids
