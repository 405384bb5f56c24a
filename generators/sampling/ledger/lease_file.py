"""The files of leases: who holds the lease of each epoch, when it was renewed, and the seals of earlier epochs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from upath import UPath

from generators.sampling.storage import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lease. `mark` tells this holder from any other."""

    host: str
    machine: str
    pid: int
    started: str
    run: str
    since: str
    mark: str

    def __str__(self) -> str:
        run = f"run {self.run}, " if self.run else ""
        return f"{run}process {self.pid} on {self.host}, since {self.since}"


@dataclass(frozen=True, slots=True)
class Written:
    """The content of a lease's file; `seals` is None until the holder has looked at the parts."""

    holder: Holder
    renewed: float
    released: bool
    seals: Mapping[int, int] | None

    def content(self) -> bytes:
        """The file's bytes."""
        who = {name: getattr(self.holder, name) for name in Holder.__slots__}
        return json.dumps(
            {"holder": who, "renewed": self.renewed, "released": self.released, "seals": self.seals}
        ).encode()

    @classmethod
    def of(cls, content: bytes | None) -> "Written | None":
        """The lease in a file, or None if it is not readable, such as one that is just being written."""
        try:
            parts = json.loads(content or b"")
            seals = parts["seals"]
            return cls(
                Holder(**parts["holder"]),
                float(parts["renewed"]),
                bool(parts["released"]),
                None if seals is None else {int(epoch): int(number) for epoch, number in seals.items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


def lease_file(folder: UPath, epoch: int) -> UPath:
    """The file of an epoch's lease."""
    return folder / "lease" / f"{epoch:06d}.json"


def epochs(folder: UPath) -> list[int]:
    """The epochs whose files are there."""
    return [int(file.stem) for file in listed(folder / "lease") if file.suffix == ".json" and file.stem.isdigit()]
