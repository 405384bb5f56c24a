"""One folder of rollouts, opened for reading and writing by the one run that holds its lease.

New rollouts are written by a thread, every `flush_rows` or `flush_seconds`, whichever is first: that is all a crash can
lose. Another thread merges parts once there are many. In memory are the index, the rollouts that wait to be written,
and a bounded number of row groups.
"""

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from upath import UPath

from generators.records import Rollout
from generators.sampling.ledger import compaction
from generators.sampling.ledger.key import LedgerKey, sampling_json
from generators.sampling.ledger.law import Extent, Stored, continues
from generators.sampling.ledger.lease import Lease, LedgerHeld, Terms, take
from generators.sampling.ledger.merging import Merging
from generators.sampling.ledger.names import new_name
from generators.sampling.ledger.opening import open_folder
from generators.sampling.ledger.parts import NewRow, Part, PartGone, digest_of, part_bytes, read_rows, table_of
from generators.sampling.ledger.rows import REASONS
from generators.sampling.storage import StorageError, is_local, write_bytes
from generators.tokens import TokenIds

_Place = tuple[str, int]


class Ledger:
    """The rollouts of one folder; raises LedgerHeld if another run holds the lease for `terms.wait_s`.

    In a folder that cannot be written, what is stored can be read, and `add` raises the reason.
    """

    def __init__(
        self,
        folder: UPath,
        *,
        flush_rows: int = 256,
        flush_seconds: float = 5.0,
        terms: Terms = Terms(),  # noqa: B008 - immutable
        run: str = "",
        say: Callable[[str], None] = lambda line: None,
        merges: bool = True,
    ) -> None:
        self.folder = folder
        self._flush_rows = flush_rows
        self._flush_seconds = flush_seconds
        self._pending: dict[_Place, NewRow] = {}
        self._writing: dict[_Place, NewRow] = {}
        self._new = 0  # of those two, the rows whose key and index the index lacks
        self._oldest_pending = 0.0
        self._failure: StorageError | None = None
        self._refusal: StorageError | None = None  # why nothing can be written, if it was known from the start
        self._say = say
        self._changed = threading.Condition()
        self._flushing = threading.Lock()
        self._closing = False
        self._written = 0
        self._lease: Lease | None = None
        self._copies = Path() if is_local(folder) else Path(tempfile.mkdtemp(prefix="stepmill-ledger-"))
        try:
            self._lease = self._taken(terms, run, say)
            opened = open_folder(folder, self._lease, self._copies)
        except BaseException:
            self._let_go()
            raise
        self._reader, self._index = opened.reader, opened.index
        self._merging = Merging(
            folder, self._reader, self._index, self._changed, self._copies, is_stopped=lambda: self._closing
        )
        self.warnings = [part.reason for part in opened.set_aside]
        self.set_aside = [part.path for part in opened.set_aside]
        self._threads = [threading.Thread(target=self._write_when_due, name="ledger-writer", daemon=True)]
        if self._lease is not None:
            self._lease.keep()
            if merges:
                self._threads.append(threading.Thread(target=self._merge_when_due, name="ledger-merger", daemon=True))
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        with self._changed:
            return len(self._index) + self._new

    @property
    def index_bytes(self) -> int:
        """The memory that the index takes."""
        with self._changed:
            return self._index.nbytes

    def get(self, digest: str, index: int) -> Stored | None:
        """The rollout stored under this key and index, if any; raises StorageError."""
        while True:
            with self._changed:
                row = self._pending.get((digest, index)) or self._writing.get((digest, index))
                if row is not None:
                    return row.stored
                located = self._index.find(digest, index)
                if located is None:
                    return None
            try:
                return Stored(self._reader.read(located.position), REASONS[located.finish])
            except PartGone:
                with self._changed:
                    is_ours = self._index.find(digest, index) != located
                if not is_ours:  # the next holder of the lease has merged it
                    self._held().check()
                    raise

    def held(self, digest: str) -> list[Extent]:
        """The extents of the rollouts 0, 1, ... of a key, up to the first index that is missing; reads no tokens."""
        extents: list[Extent] = []
        with self._changed:
            while (extent := self._extent(digest, len(extents))) is not None:
                extents.append(extent)
        return extents

    def _extent(self, digest: str, index: int) -> Extent | None:
        row = self._pending.get((digest, index)) or self._writing.get((digest, index))
        if row is not None:
            return Extent(len(row.stored.token_ids), row.stored.finish_reason)
        located = self._index.find(digest, index)
        return None if located is None else Extent(located.length, REASONS[located.finish])

    def add(self, key: LedgerKey, rollout: Rollout) -> None:
        """Remember `rollout` now and write it within the flush window, unless another stands (`law.py`).

        Raises the StorageError of an earlier write, or LeaseLost.
        """
        stored = Stored(TokenIds(rollout.token_ids), rollout.finish_reason)
        known = self.get(rollout.key, rollout.index)
        if known is not None and not continues(stored, known):
            return
        place = (rollout.key, rollout.index)
        with self._changed:
            if self._refusal is not None:
                raise self._refusal
            self._raise_failure()
            if not self._pending:
                self._oldest_pending = time.monotonic()
            waiting = self._pending.get(place)
            extends = waiting.extends if waiting else len(known.token_ids) if known else 0
            sampling, prefix = sampling_json(key.sampling), TokenIds(key.prefix)
            self._pending[place] = NewRow(*place, key.policy, sampling, prefix, stored, extends)
            self._new += known is None
            if len(self._pending) in (1, self._flush_rows):
                self._changed.notify_all()

    def flush(self) -> None:
        """Write the pending rows now; raises StorageError."""
        with self._flushing:
            with self._changed:
                if self._failure is not None:
                    raise self._failure
                rows = self._writing = self._pending
                self._pending = {}
            if not rows:
                return
            try:
                self._write(rows)
            except BaseException as error:
                with self._changed:
                    self._pending = rows | self._pending
                    self._writing = {}
                    self._failure = error if isinstance(error, StorageError) else self._failure
                    self._changed.notify_all()
                raise

    def settle(self) -> None:
        """Write the pending rows; once it has returned, everything that was added counts. Raises StorageError."""
        self.flush()
        if self._lease is not None and self._written:
            self._lease.check()

    def compact(self) -> int:
        """Merge parts until no two could be one; how many fewer there are. Raises StorageError."""
        before = len(self._reader.parts())
        while self._merge(compaction.all_due):
            pass
        return before - len(self._reader.parts())

    def close(self) -> None:
        """Write the pending rows, stop, and give the lease back; raises StorageError if rows could not be written.

        Once it has returned, everything that was added counts. A second call does nothing.
        """
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        try:
            self.settle()
        finally:
            self._reader.close()
            self._let_go()

    def _taken(self, terms: Terms, run: str, say: Callable[[str], None]) -> Lease | None:
        try:
            return take(self.folder, terms, run=run, say=say)
        except LedgerHeld:
            raise
        except StorageError as error:
            self._refusal = error
            return None

    def _let_go(self) -> None:
        if not is_local(self.folder):
            shutil.rmtree(self._copies, ignore_errors=True)
        if self._lease is not None:
            try:
                self._lease.release()
            except StorageError as error:
                self._say(f"the lease of {self.folder} was not given back and ends by itself: {error}")

    def _raise_failure(self) -> None:
        failure = self._failure or (self._lease.lost if self._lease else None)
        if failure is not None:
            raise failure

    def _write_when_due(self) -> None:
        while True:
            with self._changed:
                while not self._due():
                    self._changed.wait(self._flush_seconds if self._pending else None)
                if self._closing or self._failure is not None:
                    return
            try:
                self.flush()
            except StorageError:
                return  # it is kept: `add` and `close` raise it

    def _due(self) -> bool:
        age = time.monotonic() - self._oldest_pending
        has_waited = bool(self._pending) and age > self._flush_seconds
        return self._closing or self._failure is not None or len(self._pending) >= self._flush_rows or has_waited

    def _write(self, rows: dict[_Place, NewRow]) -> None:
        lease = self._held()
        content = part_bytes(table_of(list(rows.values())))
        lease.check()
        name = new_name(lease.epoch, self._written + 1, digest_of(content))
        path = self.folder / name.text
        write_bytes(path, content)
        self._written += 1
        file = Path(path.path)
        if not is_local(path):
            file = self._copies / name.text
            file.write_bytes(content)
        part, read = read_rows(name, path, file, len(content))
        with self._changed:
            new = sum(self._index.find(*place) is None for place in rows)
            self._index.add(read, self._reader.add(part), new=new)
            self._new -= new
            self._writing = {}
            self._changed.notify_all()

    def _merge_when_due(self) -> None:
        while True:
            with self._changed:
                while not self._closing and not compaction.due(self._reader.parts()):
                    self._changed.wait()
                if self._closing:
                    return
            try:
                self._merge(compaction.due)
            except StorageError as error:
                self._say(f"the parts of {self.folder} are not merged in this run: {error}")
                return

    def _merge(self, choose: Callable[[Sequence[Part]], list[Part]]) -> bool:
        return self._merging.merge(choose, self._held())

    def _held(self) -> Lease:
        if self._lease is None:
            raise self._refusal or StorageError(f"{self.folder} is not open for writing: open it again")
        return self._lease
