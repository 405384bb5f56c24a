"""Merging parts: many small ones become one that holds every row that counts, and the small ones are deleted.

The merged part is complete before the first of the others is deleted, and readers drop duplicates. So a crash at any
moment loses nothing. Only the holder of the lease merges, and only neighbours in the order of parts; the merged part
stands in the place of the first. A holder that loses its lease while it deletes harms nobody: its check came after the
merged part was there, so the next holder has that one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from upath import UPath

from generators.sampling.ledger.names import merged_name
from generators.sampling.ledger.parts import (
    GROUP_TOKENS,
    SCHEMA,
    TOKENS,
    WRITING,
    Part,
    file_digest,
    open_part,
    write_groups,
)
from generators.sampling.storage import explained, is_local, move_in

FAN_IN = 16  # neighbours of one size that are merged
_SMALL = 1 << 20  # bytes of the smallest size; each further size is FAN_IN times as large
LARGEST = 256 << 20  # bytes of parts that are merged into one
GONE = np.uint32(0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged part, and for each part that it replaces the new row of every row, or GONE."""

    part: Part
    moved: list[np.ndarray]


class Stopped(Exception):
    """The merging was cut off, as a run that ends does; nothing was changed."""


def due(parts: Sequence[Part]) -> list[Part]:
    """The first neighbours that should be merged now, or none: FAN_IN of one size."""
    for _, neighbours in groupby(parts, key=lambda part: _size_class(part.size)):
        run = _first_of(list(neighbours))
        if len(run) >= FAN_IN:
            return run
    return []


def all_due(parts: Sequence[Part]) -> list[Part]:
    """The first neighbours that one part could hold, whatever their sizes."""
    left = list(parts)
    while left:
        run = _first_of(left)
        if len(run) > 1:
            return run
        left = left[1:]
    return []


def _first_of(parts: list[Part]) -> list[Part]:
    """As many of the first parts as one merged part may hold."""
    sizes = np.cumsum([part.size for part in parts])
    return parts[: int(np.searchsorted(sizes, LARGEST, side="right"))]


def _size_class(size: int) -> int:
    return 0 if size < _SMALL else 1 + int(np.log(size / _SMALL) / np.log(FAN_IN))


def merge(
    folder: UPath,
    parts: Sequence[Part],
    used: Sequence[np.ndarray],
    *,
    epoch: int,
    number: int,
    copies: Path,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Merged:
    """Write the rows of `parts` that are `used` as one part; raises StorageError, or Stopped."""
    here = Path(folder.path) if is_local(folder) else copies
    temporary = here / f".merged-{uuid4().hex[:8]}.tmp"
    try:
        with explained(folder), pq.ParquetWriter(str(temporary), SCHEMA, **WRITING) as writer:
            gathered = _Gathered(writer)
            for part, keep in zip(parts, used, strict=True):
                if not keep.any():
                    continue
                with pq.ParquetFile(part.file, page_checksum_verification=True) as source:
                    for group, start in enumerate(part.starts):
                        if is_stopped():
                            raise Stopped
                        table = _current(source.read_row_group(group, use_threads=False))
                        gathered.add(table, keep[start : start + table.num_rows])
            gathered.write()
        name = merged_name(parts[0].name, epoch, number, file_digest(temporary))
        file = temporary if is_local(folder) else temporary.rename(copies / name.text)
        move_in(file, folder / name.text)
    finally:
        temporary.unlink(missing_ok=True)
    part, _ = open_part(name, folder / name.text, copies)
    return Merged(part, _moved(used))


def _moved(used: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The new row of every old one."""
    moved, before = [], 0
    for keep in used:
        rows = np.full(len(keep), GONE, dtype=np.uint32)
        count = int(keep.sum())
        rows[keep] = np.arange(before, before + count, dtype=np.uint32)
        moved.append(rows)
        before += count
    return moved


def _current(table: pa.Table) -> pa.Table:
    """A row group with today's columns, whatever version of stepmill wrote it."""
    if "n_tokens" not in table.column_names:
        lengths = pc.list_value_length(table.column("token_ids")).cast(pa.uint32())
        table = table.append_column("n_tokens", lengths)
        table = table.append_column("extends", pa.array(np.zeros(table.num_rows, dtype=np.uint32)))
    return table.select(SCHEMA.names).cast(SCHEMA)


@dataclass(slots=True)
class _Gathered:
    """Rows that wait until they fill row groups; each key's prefix goes with its first row."""

    writer: Any
    tables: list[pa.Table] = field(default_factory=list)
    tokens: int = 0
    seen: set[str] = field(default_factory=set)
    waiting: dict[str, pa.Array] = field(default_factory=dict)  # prefixes of rows that were not used

    def add(self, table: pa.Table, keep: np.ndarray) -> None:
        for key, prefix in self._prefixes(table, ~keep):
            if key not in self.seen:
                self.waiting[key] = prefix
        table = self._with_prefixes(table.filter(pa.array(keep)))
        self.tables.append(table)
        self.tokens += int(table.column("n_tokens").to_numpy().sum())
        if self.tokens >= 4 * GROUP_TOKENS:
            self.write()

    def write(self) -> None:
        if self.tables:
            write_groups(pa.concat_tables(self.tables).combine_chunks(), self.writer)
        self.tables, self.tokens = [], 0

    @staticmethod
    def _prefixes(table: pa.Table, where: np.ndarray) -> list[tuple[str, pa.Array]]:
        has_prefix = table.column("prefix_token_ids").is_valid().to_numpy()
        chosen = table.filter(pa.array(where & has_prefix))
        prefixes = chosen.column("prefix_token_ids").combine_chunks()
        return [(key, prefixes.slice(row, 1)) for row, key in enumerate(chosen.column("key").to_pylist())]

    def _with_prefixes(self, table: pa.Table) -> pa.Table:
        """The rows with a prefix in the first row of each key alone."""
        own = table.column("prefix_token_ids").combine_chunks()
        is_valid = np.asarray(own.is_valid())
        choices = np.full(table.num_rows, -1, dtype=np.int64)
        extra: list[pa.Array] = []
        for row, key in enumerate(table.column("key").to_pylist()):
            if key in self.seen:
                continue
            if is_valid[row]:
                choices[row] = row
            elif key in self.waiting:
                choices[row] = table.num_rows + len(extra)
                extra.append(self.waiting.pop(key))
            else:
                continue
            self.seen.add(key)
        source = pa.concat_arrays([own, *extra])
        taken = source.take(pa.array(choices, mask=choices < 0))
        place = table.schema.get_field_index("prefix_token_ids")
        return table.set_column(place, "prefix_token_ids", taken.cast(TOKENS))
