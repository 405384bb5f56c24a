"""One open ledger for several users in one process, such as recipes of one slice that run at the same time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from upath import UPath

from generators.sampling.ledger.ledger import Ledger


@dataclass(slots=True)
class _Shared:
    users: int = 0
    ledger: Ledger | None = None
    opening: threading.Lock = field(default_factory=threading.Lock)


_shared: dict[str, _Shared] = {}
_changing = threading.Lock()


@contextmanager
def shared(folder: UPath, opened: Callable[[UPath], Ledger]) -> Iterator[Ledger]:
    """The ledger of `folder`, opened for its first user and closed after its last.

    When a user leaves, everything that was added counts; raises StorageError otherwise.
    """
    name = str(folder)
    with _changing:
        one = _shared.setdefault(name, _Shared())
        one.users += 1
    try:
        with one.opening:
            if one.ledger is None:
                one.ledger = opened(folder)
        try:
            yield one.ledger
        finally:
            one.ledger.settle()
    finally:
        with _changing:
            one.users -= 1
            is_last = one.users == 0
            if is_last:
                del _shared[name]
        if is_last and one.ledger is not None:
            one.ledger.close()
