"""The keeper of a server process: it runs one command and makes sure that nothing of it outlives the owner.

`python keeper.py OWNER_PID GRACE_S COMMAND...` writes the command's pid to standard output and the command's own
output to standard error. When standard input closes or the owner is gone, it sends SIGTERM to the command's group and,
after the grace period, SIGKILL to whatever is left. Standard library only, so that it starts at once. Linux only.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
OWNER_CHECK_S = 1.0


def main() -> int:
    """Run the command until it or its owner ends, whichever is first, and return its exit status."""
    owner, grace_s, command = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    stop_requested = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop_requested.set())
    _prctl(PR_SET_CHILD_SUBREAPER, 1)  # adopt orphans of the command, so that none can escape
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        process_group=0,
        preexec_fn=lambda: _prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
    )
    try:
        sys.stdout.write(f"{child.pid}\n")
        sys.stdout.flush()
        _watch(child.pid, owner, stop_requested)
    finally:
        status = _end(child, grace_s)
    return status


def _watch(child: int, owner: int, stop_requested: threading.Event) -> None:
    """Return when the child or standard input has ended, a stop was requested, or the owner is gone."""
    ended = os.pidfd_open(child)
    # Standard input alone is not enough: a fork of the owner may keep the pipe open after the owner is gone.
    while os.getppid() == owner and not stop_requested.is_set():
        if select.select([ended, sys.stdin.fileno()], [], [], OWNER_CHECK_S)[0]:
            return


def _end(child: subprocess.Popen[bytes], grace_s: float) -> int:
    _signal_group(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while child.poll() is None or _orphans(child):
        is_late = time.monotonic() > deadline
        for pid in _orphans(child):
            os.kill(pid, signal.SIGKILL if is_late else signal.SIGTERM)
            os.waitpid(pid, os.WNOHANG)
        if is_late:
            _signal_group(child.pid, signal.SIGKILL)
        time.sleep(0.02)
    _signal_group(child.pid, signal.SIGKILL)  # any process that a kernel without a list of children did not show us
    return child.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # no process of the group is left


def _orphans(child: subprocess.Popen[bytes]) -> list[int]:
    """Descendants whose parent has ended, which makes them our own children."""
    pid = os.getpid()
    listed = Path(f"/proc/{pid}/task/{pid}/children")  # a few kernels have no such list; then the group is all we know
    return [int(word) for word in listed.read_text().split() if int(word) != child.pid] if listed.exists() else []


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")


if __name__ == "__main__":
    sys.exit(main())
