"""Runs a command of `stepmill` for releases and writes down what it took: seconds of the processor, and memory."""

import json
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path


def measured() -> None:
    """Run the command in the arguments, and write what it took into the file that the first argument names."""
    import resource

    from releases.cli import app
    from releases.door.reader import reader

    target, *arguments = sys.argv[1:]
    peaks: dict[int, float] = {}
    threading.Thread(target=_watch, args=(peaks,), daemon=True).start()
    try:
        app(arguments)
    finally:
        _look(peaks)
        reader().close()
        own, reading = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = own.ru_utime + own.ru_stime + reading.ru_utime + reading.ru_stime
        here = peaks.pop(os.getpid())
        Path(target).write_text(json.dumps({"cpu_s": seconds, "mb": here + max(peaks.values(), default=0)}))


def _watch(peaks: dict[int, float]) -> None:
    while True:
        _look(peaks)
        time.sleep(0.002)


def _look(peaks: dict[int, float]) -> None:
    """Note the most memory of this process and of the reader, in MB; getrusage counts a parent's, too."""
    own = os.getpid()
    children = Path(f"/proc/self/task/{own}/children").read_text().split()
    for process in (own, *map(int, children)):
        with suppress(OSError, StopIteration):
            if process != own and b"reading_room" not in Path(f"/proc/{process}/cmdline").read_bytes():
                continue
            status = Path(f"/proc/{process}/status").read_text().split("\n")
            peak = next(line for line in status if line.startswith("VmHWM"))
            peaks[process] = int(peak.split()[1]) / 1000
