"""The keeper of a server process: it runs one command, and lets nothing of it outlive the process that asked.

`python keeper.py OWNER_PID GRACE_S COMMAND...` writes the command's pid to standard output, sends the command's own
output to standard error, and ends it when standard input ends or the owner is gone: SIGTERM to its group, then, after
the grace, SIGKILL to whatever is left. Knows nothing of vLLM; standard library only, so that it starts at once. Linux.
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
    """Run the command to its end or the owner's, whichever is first, and return its exit status."""
    owner, grace_s, command = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    told_to_end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told_to_end.set())
    _prctl(PR_SET_CHILD_SUBREAPER, 1)  # orphans of the command become ours, so none can slip away
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
        _watch(child.pid, owner, told_to_end)
    finally:
        status = _end(child, grace_s)
    return status


def _watch(child: int, owner: int, told_to_end: threading.Event) -> None:
    """Return when the child or standard input has ended, we were told to end, or the owner is gone."""
    ended = os.pidfd_open(child)
    # Not standard input alone: a fork of the owner may hold the pipe's other end open after the owner is gone.
    while os.getppid() == owner and not told_to_end.is_set():
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
    _signal_group(child.pid, signal.SIGKILL)  # whoever a kernel without the list of children did not show us
    return child.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # nobody of the group is left


def _orphans(child: subprocess.Popen[bytes]) -> list[int]:
    """Descendants whose parent has ended; they are our own children then."""
    pid = os.getpid()
    listed = Path(f"/proc/{pid}/task/{pid}/children")  # a few kernels do not list them; the group is all we know there
    return [int(word) for word in listed.read_text().split() if int(word) != child.pid] if listed.exists() else []


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")


if __name__ == "__main__":
    sys.exit(main())
