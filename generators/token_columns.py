"""Token ids of a column as records hold them: each row is a view of the column's own memory."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, cast

import polars as pl
import pyarrow as pa

from filters.id_lists import ID_LIST
from generators.tokens import TokenIds


def rows_with_ids(frame: pl.DataFrame, columns: Sequence[str], ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows as dicts of these columns, with the token ids of the columns `ids` as views of the frame's memory."""
    others = frame.select(name for name in columns if name not in ids)
    held = zip(*(ids_of(frame[name]) for name in ids), strict=True)
    for row, of_row in zip(others.iter_rows(named=True), held, strict=True):
        yield {**row, **dict(zip(ids, of_row, strict=True))}


def ids_of(column: pl.Series) -> list[TokenIds]:
    """The token ids of each row; nothing is copied where the column lies in one piece and holds 32 bits."""
    lists = cast(pa.LargeListArray, column.cast(ID_LIST).rechunk().to_arrow())
    offsets = lists.offsets.to_pylist()
    values = lists.values
    memory = values.buffers()[1]
    ids = TokenIds(memoryview(memory) if memory is not None else ())[values.offset :]
    return [ids[start:end] for start, end in pairwise(offsets)]
