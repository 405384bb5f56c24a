"""The ledger: every rollout that was paid for, in immutable Parquet parts of one folder.

A crash loses at most the rows of one flush window. Readers drop duplicates and keep the longest rollout of a key and
index, so parts may be merged or written twice at any time.
"""

from __future__ import annotations  # array[int] cannot be evaluated at run time before Python 3.12

import hashlib
import json
import threading
import time
from array import array
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from types import TracebackType
from typing import cast

import polars as pl
from upath import UPath

from generators.engine.protocol import Sampling
from generators.records import FinishReason, Rollout
from generators.sampling.ledger_parts import DamagedPart, read_part, write_part
from generators.sampling.storage import StorageError

PART_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "key": pl.String,
    "index": pl.UInt32,
    "policy": pl.String,
    "sampling": pl.String,
    "prefix_token_ids": pl.List(pl.UInt32),
    "token_ids": pl.List(pl.UInt32),
    "text": pl.String,
    "finish_reason": pl.String,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerKey:
    """What a family of rollouts has in common: the policy, the prefix and the sampling params."""

    policy: str
    prefix: tuple[int, ...]
    sampling: Sampling

    def digest(self) -> str:
        """32 hexadecimal digits that name this key."""
        content = hashlib.blake2b(digest_size=16)
        content.update(f"{self.policy}\n{sampling_json(self.sampling)}\n".encode())
        content.update(array("I", self.prefix).tobytes())
        return content.hexdigest()


@lru_cache(maxsize=64)
def sampling_json(sampling: Sampling) -> str:
    """The canonical JSON of sampling params; `excluded` is omitted if empty."""
    fields = asdict(sampling)
    if not sampling.excluded:
        del fields["excluded"]
    return json.dumps(fields, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Stored:
    """A rollout as the ledger keeps it in memory: its ids, four bytes each, and why it ended."""

    token_ids: array[int]
    finish_reason: FinishReason


class Ledger:
    """One folder of parts, read when opened; flushed every `flush_rows` or `flush_seconds`, whichever is first.

    Only one process should write a folder at a time, but two do no harm, since their parts have different names.
    """

    def __init__(self, folder: UPath, *, flush_rows: int = 256, flush_seconds: float = 5.0) -> None:
        self.folder = folder
        self.set_aside: list[str] = []
        self._flush_rows = flush_rows
        self._flush_seconds = flush_seconds
        self._index: dict[str, dict[int, Stored]] = {}
        self._pending: list[dict[str, object]] = []
        self._oldest_pending = 0.0
        self._failure: StorageError | None = None
        self._changed = threading.Condition()
        self._closing = False
        self._read_parts()
        self._writer = threading.Thread(target=self._write_when_due, name="ledger-writer", daemon=True)
        self._writer.start()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return sum(len(rollouts) for rollouts in self._index.values())

    def get(self, digest: str, index: int) -> Stored | None:
        """The rollout stored under this key and index, if any."""
        return self._index.get(digest, {}).get(index)

    def add(self, key: LedgerKey, rollout: Rollout) -> None:
        """Remember `rollout` now and write it within the flush window; raises an earlier write's StorageError."""
        self._keep(rollout.key, rollout.index, rollout.token_ids, rollout.finish_reason)
        row: dict[str, object] = {
            "key": rollout.key,
            "index": rollout.index,
            "policy": key.policy,
            "sampling": sampling_json(key.sampling),
            "prefix_token_ids": key.prefix,
            "token_ids": rollout.token_ids,
            "text": rollout.text,
            "finish_reason": rollout.finish_reason,
        }
        with self._changed:
            if self._failure is not None:
                raise self._failure
            if not self._pending:
                self._oldest_pending = time.monotonic()
            self._pending.append(row)
            self._changed.notify()

    def close(self) -> None:
        """Write the pending rows and stop; raises StorageError if rows could not be written."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._writer.join()
        if self._failure is not None:
            raise self._failure

    def _keep(self, digest: str, index: int, token_ids: Sequence[int], finish_reason: FinishReason) -> None:
        rollouts = self._index.setdefault(digest, {})
        known = rollouts.get(index)
        if known is None or len(token_ids) > len(known.token_ids):
            rollouts[index] = Stored(array("I", token_ids), finish_reason)

    def _read_parts(self) -> None:
        if not self.folder.exists():
            return
        for part in sorted(self.folder.glob("part-*.parquet"), key=lambda path: path.name):
            try:
                frame = read_part(part, ["key", "index", "token_ids", "finish_reason"])
            except DamagedPart:
                # Its rollouts will be drawn again; the bytes stay for inspection.
                aside = part.rename(part.with_name(f"{part.name}.unreadable"))
                self.set_aside.append(str(aside))
                continue
            for digest, index, token_ids, reason in frame.iter_rows():
                self._keep(digest, index, token_ids, cast(FinishReason, reason))

    def _write_when_due(self) -> None:
        while True:
            with self._changed:
                while not self._due():
                    self._changed.wait(self._flush_seconds if self._pending else None)
                rows, self._pending = self._pending, []
                is_closing = self._closing
            if rows:
                self._write(rows)
            if is_closing:
                return

    def _due(self) -> bool:
        age = time.monotonic() - self._oldest_pending
        return (
            self._closing or len(self._pending) >= self._flush_rows or bool(self._pending and age > self._flush_seconds)
        )

    def _write(self, rows: list[dict[str, object]]) -> None:
        try:
            write_part(self.folder, pl.DataFrame(rows, schema=PART_SCHEMA))
        except StorageError as error:
            with self._changed:
                self._pending = rows + self._pending
                self._failure = error
                self._closing = True


def totals(folders: Sequence[UPath]) -> dict[str, int]:
    """How many rollouts the ledgers in `folders` hold, and their generated tokens; duplicates count once."""
    parts = [part for folder in folders if folder.exists() for part in folder.glob("part-*.parquet")]
    if not parts:
        return {"rollouts": 0, "generated": 0}
    lengths = [
        read_part(part, ["key", "index", "token_ids"]).with_columns(pl.col("token_ids").list.len()) for part in parts
    ]
    longest = pl.concat(lengths).group_by("key", "index").agg(pl.col("token_ids").max())
    return {"rollouts": longest.height, "generated": int(longest["token_ids"].sum())}
