"""The lease of a ledger folder: one run at a time may write it.

`lease/000003.json` is the lease of the third holder, its epoch. To take the lease is to create the file of the next
epoch, which one of several can do; the highest epoch holds. A holder renews its file by heartbeat. Its lease ends when
it says so, when its process has ended on this machine, or when its file has not changed for `valid_s` while another
run looked at it. So no two clocks are ever compared, but for leases that are `LONG_AGO` times older than that.

A holder that was stopped and went on (a laptop asleep, a store away) finds a higher epoch before its next write, and
stops. Should a write of its already be on its way, the part is late and does not count: the next holder's file has
`seals`, the number of the last part of each earlier epoch that was there when it began.

What this needs of a store: a file that is created is seen by the next listing (local disks, NFS, S3, GCS, Azure), and
of two that create one file, one fails. Where a store ignores that condition, the file is read again after `SETTLE_S`;
two runs that begin within that time of each other may then both hold the lease, until the next heartbeat of one.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from upath import UPath

from generators.sampling.ledger import process
from generators.sampling.ledger.lease_file import Holder, Written, epochs, lease_file
from generators.sampling.ledger.names import PartName, last_numbers
from generators.sampling.storage import StorageError, create, is_local, read_bytes, remove, write_bytes

VALID_S = 40.0
WAIT_S = 60.0
LONG_AGO = 10
SETTLE_S = 2.0
_LOOK_S = 1.0


class LedgerHeld(StorageError):
    """Another run holds the lease; the same command works when that one has ended."""


class LeaseLost(StorageError):
    """Another run took the lease, since this one had not renewed it in time."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a lease is valid after a renewal, and how long to wait for one that another run holds."""

    valid_s: float = VALID_S
    wait_s: float = WAIT_S


@dataclass(slots=True, eq=False)
class Lease:
    """A lease that this process holds, renewed by a thread until it is released or lost."""

    folder: UPath
    epoch: int
    holder: Holder
    valid_s: float
    seals: Mapping[int, int] | None = None
    lost: LeaseLost | None = None
    _done: threading.Event = field(default_factory=threading.Event)
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def seal(self, parts: Iterable[PartName]) -> Mapping[int, int]:
        """Record the parts that are there, before any of them is used; the last number that counts of each epoch."""
        inherited = sealed_before(self.folder, self.epoch)
        last = last_numbers(parts)
        unsealed = range(max(inherited, default=0) + 1, self.epoch)
        self.seals = {**inherited, **{epoch: last.get(epoch, 0) for epoch in unsealed}}
        self._write()
        for epoch in epochs(self.folder):
            if epoch < self.epoch:
                remove(lease_file(self.folder, epoch))
        return self.seals

    def keep(self) -> None:
        """Renew the lease from now on."""
        self._thread = threading.Thread(target=self._renew, name="ledger-lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise LeaseLost if another run holds the lease now; StorageError if that cannot be seen."""
        if self.lost is None:
            newest = max(epochs(self.folder), default=0)
            own = Written.of(read_bytes(lease_file(self.folder, self.epoch))) if newest == self.epoch else None
            if own is None or own.holder != self.holder:
                self.lost = self._taken_by(newest)
        if self.lost is not None:
            raise self.lost

    def release(self) -> None:
        """Give the lease back; the file stays, since it has the seals."""
        self._done.set()
        if self._thread is not None:
            self._thread.join()
        if self.lost is None:
            self._write(released=True)

    def _renew(self) -> None:
        while not self._done.wait(self.valid_s / 4):
            try:
                self.check()
                self._write()
            except LeaseLost:
                return
            except StorageError:
                # The next write meets the same error and raises it; until then the store may be back.
                continue

    def _write(self, *, released: bool = False) -> None:
        with self._writing:
            content = Written(self.holder, time.time(), released, self.seals).content()
            write_bytes(lease_file(self.folder, self.epoch), content)

    def _taken_by(self, epoch: int) -> LeaseLost:
        other = Written.of(read_bytes(lease_file(self.folder, epoch)))
        who = other.holder if other else "another run"
        return LeaseLost(
            f"this run did not renew its lease of {self.folder} for {self.valid_s:g} s and {who} took it: "
            "what was not written yet is lost; run the same command again when that run has ended"
        )


def sealed_before(folder: UPath, before: int | None = None) -> Mapping[int, int]:
    """The seals that the newest holder recorded, of those before an epoch if one is given."""
    for epoch in sorted(epochs(folder), reverse=True):
        if before is None or epoch < before:
            lease = Written.of(read_bytes(lease_file(folder, epoch)))
            if lease is not None and lease.seals is not None:
                return lease.seals
    return {}


def take(folder: UPath, terms: Terms, *, run: str = "", say: Callable[[str], None] = lambda line: None) -> Lease:
    """Take the lease of a folder; raises LedgerHeld if another run holds it for `wait_s`, or StorageError."""
    holder = _this_process(run)
    began = time.monotonic()
    seen: tuple[int, bytes | None] | None = None
    unchanged_since = began
    while True:
        newest = max(epochs(folder), default=0)
        content = read_bytes(lease_file(folder, newest)) if newest else None
        now = time.monotonic()
        if (newest, content) != seen:
            if seen is None and newest and not _is_free(content, terms.valid_s, 0.0):
                say(f"{_held(folder, content)}; waiting for up to {terms.wait_s:g} s")
            seen, unchanged_since = (newest, content), now
        if newest == 0 or _is_free(content, terms.valid_s, now - unchanged_since):
            lease = Lease(folder, newest + 1, holder, terms.valid_s)
            if _created(lease):
                return lease
            continue
        left = terms.wait_s - (now - began)
        if left <= 0:
            raise LedgerHeld(
                f"{_held(folder, content)}; its lease ends with it, or {terms.valid_s:g} s after it stopped without a "
                "word: run the same command again then, or raise ledger_wait_s to wait longer"
            )
        time.sleep(min(left, _LOOK_S, terms.valid_s / 4))


def _is_free(content: bytes | None, valid_s: float, unchanged_s: float) -> bool:
    lease = Written.of(content)
    if lease is None:
        return unchanged_s >= valid_s
    holder = lease.holder
    return (
        lease.released
        or process.has_ended(holder.pid, holder.started, holder.machine)
        or unchanged_s >= valid_s
        or time.time() - lease.renewed > LONG_AGO * valid_s
    )


def _held(folder: UPath, content: bytes | None) -> str:
    lease = Written.of(content)
    if lease is None:
        return f"another run is taking the lease of {folder}"
    ago = max(0.0, time.time() - lease.renewed)
    return f"another run holds the lease of {folder} ({lease.holder}; renewed {ago:.0f} s ago)"


def _created(lease: Lease) -> bool:
    file = lease_file(lease.folder, lease.epoch)
    content = Written(lease.holder, time.time(), False, None).content()
    if not create(file, content):
        return False
    if not is_local(file) and create(file, content):  # this store ignores the condition, so see who came last
        time.sleep(SETTLE_S)
        return read_bytes(file) == content
    return True


def _this_process(run: str) -> Holder:
    pid = os.getpid()
    return Holder(
        host=process.host(),
        machine=process.machine(),
        pid=pid,
        started=process.started(pid) or "",
        run=run,
        since=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        mark=uuid4().hex,
    )
