"""Processes that a test starts: each in a session of its own, logged to a file, and ended with all that it started.

They are told to stop when the test's own process is killed, too. Knows no program. Linux.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
PATIENCE_S = 600  # a machine with other work takes its time to import Dagster
_PR_SET_PDEATHSIG = 1


@contextmanager
def running(*command, log, env=None):
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [str(word) for word in command],
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"} | (env or {}),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            preexec_fn=stops_with_its_owner,
        )
    try:
        yield process
    finally:
        end(process)


def python(*arguments, log, env=None):
    """As `running`, for a module or program of this interpreter."""
    return running(sys.executable, *arguments, log=log, env=env)


def stops_with_its_owner():
    """To be called in a new process: SIGINT when the one that started it is gone, however it ended."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def end(process, grace_s=10):
    """Ask the process and its children to stop, then make them."""
    family = [process.pid, *(child.pid for child in children(process.pid))]
    for sent in (signal.SIGTERM, signal.SIGKILL):
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, sent)
        psutil.wait_procs([psutil.Process(pid) for pid in family if psutil.pid_exists(pid)], timeout=grace_s)
    process.wait()


def children(pid):
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def command_of(process):
    """Its command line, empty when it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition, *, process=None, log=None, within_s=PATIENCE_S, every_s=0.2):
    """The first true value of `condition`; fails when it takes too long, or the process that should bring it ends."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        said = log.read_text(errors="replace")[-3000:] if log and log.exists() else ""
        assert process is None or process.poll() is None, f"{what}: the process ended\n{said}"
        assert time.monotonic() < deadline, f"{what}: not within {within_s} s\n{said}"
        time.sleep(every_s)
    return value
