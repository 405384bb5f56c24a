"""What signals do to a run: a hang-up ends it as SIGTERM does, with what was drawn in the ledger.

A hang-up comes when a terminal or a connection is closed. Where it is ignored, as under `nohup`, it stays so.
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


@contextmanager
def termination_kept() -> Iterator[None]:
    """Give SIGTERM back what it did before.

    After a run, Dagster gives it what SIGINT does, and scripts start what runs in the background with SIGINT ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
