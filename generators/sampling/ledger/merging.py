"""Merging parts of an open ledger, beside the thread that writes it and whoever reads it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from upath import UPath

from generators.sampling.ledger import compaction
from generators.sampling.ledger.index import Index
from generators.sampling.ledger.lease import Lease
from generators.sampling.ledger.parts import Part
from generators.sampling.ledger.reading import Reader
from generators.sampling.storage import is_local, remove


@dataclass(slots=True)
class Merging:
    """Merges parts of a folder, one merge at a time; `changing` guards the index."""

    folder: UPath
    reader: Reader
    index: Index
    changing: threading.Condition
    copies: Path
    is_stopped: Callable[[], bool]
    _number: int = 0
    _merging: threading.Lock = field(default_factory=threading.Lock)

    def merge(self, choose: Callable[[Sequence[Part]], list[Part]], lease: Lease) -> bool:
        """Merge the parts that `choose` names, if any; whether it did. Raises StorageError."""
        with self._merging:
            parts = choose(self.reader.parts())
            if not parts:
                return False
            lease.check()  # after the parts were written: so they count, and what holds them may count too
            firsts = [self.reader.first(part) for part in parts]
            with self.changing:
                used = [self.index.is_used(first, part.rows) for first, part in zip(firsts, parts, strict=True)]
            self._number += 1
            try:
                merged = compaction.merge(
                    self.folder,
                    parts,
                    used,
                    epoch=lease.epoch,
                    number=self._number,
                    copies=self.copies,
                    is_stopped=self.is_stopped,
                )
            except compaction.Stopped:
                return False
            lease.check()  # after the merged part was written: so whoever is next has it
            self._take_in(merged, firsts, parts)
            for part in parts:
                remove(part.path)
                if not is_local(part.path):
                    part.file.unlink(missing_ok=True)
            return True

    def _take_in(self, merged: compaction.Merged, firsts: list[int], parts: list[Part]) -> None:
        with self.changing:
            new_first = np.uint32(self.reader.add(merged.part))
            for first, moved in zip(firsts, merged.moved, strict=True):
                moved[moved != compaction.GONE] += new_first
                self.index.move(first, moved)
            self.reader.drop(parts)
