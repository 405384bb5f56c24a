"""Whether a process that a lease names still runs, where this process can tell."""

import os
import socket
from functools import lru_cache
from pathlib import Path

import psutil


def host() -> str:
    """The name of this machine."""
    return socket.gethostname()


@lru_cache(maxsize=1)
def machine() -> str:
    """What two processes share if each can see the other's process id: host, boot, and namespace of process ids."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:  # not Linux: no namespaces
        boot, namespace = str(int(psutil.boot_time())), ""
    return f"{host()} {boot} {namespace}".strip()


def started(pid: int) -> str | None:
    """When a process of this machine started, in a form that tells it from a later one of its id; None if it ended."""
    try:
        # In ticks since the boot: the time of day may be set meanwhile.
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[-1].split()
        return None if fields[0] in "ZX" else fields[19]
    except OSError:
        pass
    if Path("/proc/self/stat").exists():
        return None
    try:
        return str(int(psutil.Process(pid).create_time()))
    except psutil.Error:
        return None


def has_ended(pid: int, start: str, where: str) -> bool:
    """Whether the process is certain to have ended; a process of another machine never is."""
    return where == machine() and started(pid) != start
