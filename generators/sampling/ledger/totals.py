"""How much ledgers hold, by the lengths of their rollouts: no token of a part is read, and no lease is needed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from upath import UPath

from generators.sampling.ledger.lease import sealed_before
from generators.sampling.ledger.names import PartName, is_late
from generators.sampling.ledger.parts import DamagedPart, PartGone, parts_in, read_rows
from generators.sampling.ledger.rows import Rows
from generators.sampling.storage import explained, is_local, listed

_READ_AT_ONCE = 8
_TRIES = 5


def totals(folders: Sequence[UPath]) -> dict[str, int]:
    """How many rollouts the ledgers in `folders` hold, and their generated tokens; duplicates count once.

    A part that is damaged or late does not count: the next run that opens its ledger warns of it, and draws again.
    """
    rows = Rows.concatenated([_rows_in(folder) for folder in folders])
    order = np.lexsort((rows.length, rows.index, rows.low, rows.high))
    is_longest = np.ones(len(order), dtype=bool)
    columns = (rows.high[order], rows.low[order], rows.index[order])
    is_longest[:-1] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    longest = rows.length[order][is_longest]
    return {"rollouts": len(longest), "generated": int(longest.sum(dtype=np.int64))}


def _rows_in(folder: UPath) -> Rows:
    for _ in range(_TRIES):
        try:
            named = parts_in(listed(folder))
            seals = sealed_before(folder) if named else {}
            counted = [pair for pair in named if not is_late(pair[0], seals)]
            with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
                return Rows.concatenated(list(pool.map(_rows_of, counted)))
        except PartGone as merged:  # by the run that holds the lease
            gone = merged
    raise gone


def _rows_of(pair: tuple[PartName, UPath]) -> Rows:
    name, path = pair
    with explained(path, "read"):
        try:
            if is_local(path):
                return read_rows(name, path, Path(path.path), 0)[1]
            with path.open("rb") as source:
                return read_rows(name, path, source, 0)[1]
        except FileNotFoundError as gone:
            raise PartGone(f"{path} was merged into another part meanwhile: run the same command again") from gone
        except DamagedPart:
            return Rows.concatenated([])
