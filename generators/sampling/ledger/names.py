"""The names of parts: their order, who wrote them, and the digest of their bytes.

`part-e000003-00000007-<digest>.parquet` is the seventh part of the third holder of the lease. A merged part stands in
the place of its first one: `part-<that place>-m<epoch>-<number>-<digest>.parquet`. Earlier versions of stepmill named
parts by the time in nanoseconds; those come first.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_NAME = re.compile(
    r"part-(?P<place>e(?P<epoch>\d{6})-(?P<number>\d{8})|[^-]+)(-m(?P<by>\d{6})-(?P<by_number>\d{8}))?"
    r"(-(?P<digest>[^-]+))?\.parquet"
)
_DIGITS = 32


@dataclass(frozen=True, slots=True)
class PartName:
    """What the name of a part says: its place among parts, and the epoch and number under which it was written."""

    place: str
    is_written: bool  # by a run as new, rather than merged of others
    text: str
    epoch: int
    number: int

    @property
    def order(self) -> tuple[str, bool, int, int, str]:
        """What parts are sorted by: of one place, the merged ones come first, and of those the newest.

        So nothing reads a part that was merged into another one, since it may be deleted at any time.
        """
        return self.place, self.is_written, -self.epoch, -self.number, self.text

    @property
    def digest(self) -> str | None:
        """The digest of the part's bytes; the first versions of stepmill wrote none."""
        last = self.text.removesuffix(".parquet").rsplit("-", 1)[-1]
        return last if len(last) == _DIGITS else None


def parsed(text: str) -> PartName | None:
    """The name of a part, or None if the file is none."""
    match = _NAME.fullmatch(text)
    if match is None:
        return None
    epoch, number = match["by"] or match["epoch"] or "0", match["by_number"] or match["number"] or "0"
    return PartName(match["place"], match["by"] is None, text, int(epoch), int(number))


def new_name(epoch: int, number: int, digest: str) -> PartName:
    """The name of a part that a holder of the lease writes."""
    place = f"e{epoch:06d}-{number:08d}"
    return PartName(place, True, f"part-{place}-{digest}.parquet", epoch, number)


def merged_name(first: PartName, epoch: int, number: int, digest: str) -> PartName:
    """The name of a part that holds what `first` and its successors held."""
    text = f"part-{first.place}-m{epoch:06d}-{number:08d}-{digest}.parquet"
    return PartName(first.place, False, text, epoch, number)


def last_numbers(names: Iterable[PartName]) -> dict[int, int]:
    """The number of the last part of each epoch, merged ones aside."""
    last: dict[int, int] = {}
    for name in names:
        if name.is_written:
            last[name.epoch] = max(last.get(name.epoch, 0), name.number)
    return last


def is_late(name: PartName, seals: Mapping[int, int]) -> bool:
    """Whether a part came after a next holder had begun; `seals` has the last number that counts of each epoch.

    A merged part is never late: it holds what had counted before.
    """
    return name.is_written and name.number > seals.get(name.epoch, name.number)
