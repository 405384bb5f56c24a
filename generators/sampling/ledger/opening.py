"""Opening a ledger: its parts are checked and indexed, and those that do not count are set aside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from upath import UPath

from generators.sampling.ledger.index import Index
from generators.sampling.ledger.law import Stored
from generators.sampling.ledger.lease import Lease, sealed_before
from generators.sampling.ledger.names import PartName, is_late
from generators.sampling.ledger.parts import PartGone, open_parts, parts_in
from generators.sampling.ledger.reading import Reader
from generators.sampling.ledger.rows import REASONS, Rows
from generators.sampling.storage import StorageError, listed, rename

_TRIES = 5


@dataclass(frozen=True, slots=True)
class SetAside:
    """A part that does not count: where it is now, and why, in one sentence."""

    path: str
    reason: str


@dataclass(slots=True)
class Opened:
    """The parts of a folder, indexed, and those that were set aside."""

    reader: Reader
    index: Index
    set_aside: list[SetAside] = field(default_factory=list)


def open_folder(folder: UPath, lease: Lease | None, copies: Path) -> Opened:
    """Read a folder. Without a lease nothing in it is renamed. Raises StorageError."""
    seals = None if lease is None else lease.seal(name for name, _ in parts_in(listed(folder)))
    for _ in range(_TRIES):
        try:
            return _opened(folder, seals, copies)
        except PartGone as merged:  # the last act of a holder that has lost its lease
            gone = merged
    raise gone


def _opened(folder: UPath, seals: Mapping[int, int] | None, copies: Path) -> Opened:
    set_aside: list[SetAside] = []
    is_holder = seals is not None
    known_seals = seals if seals is not None else sealed_before(folder)
    counted: list[tuple[PartName, UPath]] = []
    for name, path in parts_in(listed(folder)):
        if is_late(name, known_seals):
            reason = "was written by a run that had lost its lease, so it does not count"
            set_aside.append(_aside(path, "late", reason, is_holder))
        else:
            counted.append((name, path))
    reader, several = Reader(), []
    for _, path, result in open_parts(counted, copies):
        if isinstance(result, PartGone):
            raise result
        if isinstance(result, StorageError):
            reason = "could not be read; its rollouts will be drawn again"
            set_aside.append(_aside(path, "unreadable", reason, is_holder))
            continue
        part, rows = result
        reader.add(part)
        several.append(rows)
    rows = Rows.concatenated(several)
    del several

    def read(position: int) -> Stored:
        return Stored(reader.read(position), REASONS[rows.finish[position]])

    return Opened(reader, Index(rows, read), set_aside)


def _aside(path: UPath, ending: str, reason: str, is_holder: bool) -> SetAside:
    """Rename a part so that nothing reads it again; the bytes stay for inspection."""
    said = f"the ledger part {path} {reason}"
    if not is_holder:
        return SetAside(str(path), f"{said} (it stays where it is, since this run may not write there)")
    target = path.with_name(f"{path.name}.{ending}")
    try:
        rename(path, target)
    except StorageError as error:
        return SetAside(str(path), f"{said} (it stays where it is: {error})")
    return SetAside(str(target), f"{said} (it is kept as {target.name})")
