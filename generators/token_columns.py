"""Token ids of a column as records hold them: each row is a view of the column's own memory."""

from itertools import pairwise
from typing import cast

import polars as pl
import pyarrow as pa

from filters.id_lists import ID_LIST
from generators.tokens import TokenIds


def ids_of(column: pl.Series) -> list[TokenIds]:
    """The token ids of each row; nothing is copied where the column lies in one piece and holds 32 bits."""
    lists = cast(pa.LargeListArray, column.cast(ID_LIST).rechunk().to_arrow())
    offsets = lists.offsets.to_pylist()
    values = lists.values
    memory = values.buffers()[1]
    ids = TokenIds(memoryview(memory) if memory is not None else ())[values.offset :]
    return [ids[start:end] for start, end in pairwise(offsets)]
