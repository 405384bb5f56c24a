"""A hang-up ends a run as SIGTERM does: what was drawn is written to the ledger before the process ends.

The signal comes when a terminal or a connection is closed. Where it is ignored, as under `nohup`, it stays so.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hangup_as_termination() -> Iterator[None]:
    """Let SIGHUP do what SIGTERM does at that moment, unless somebody else has decided what it does."""
    is_ours = (
        threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    )
    if not is_ours:
        yield
        return
    signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
