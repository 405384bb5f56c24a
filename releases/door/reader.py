"""The process that reads Parquet files of others first: started once, and again after one that it did not survive."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

_PROGRAM = Path(__file__).with_name("reading_room.py")
_PATIENCE = 10  # times the seconds of the processor that a file may take, as a wall clock on a busy machine shows them


def reader() -> "Reader":
    """The reader of this process; a process that was forked has one of its own."""
    return _reader_of(os.getpid())


class Reader:
    """Looks at one file at a time; a file that its process does not survive is refused."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        atexit.register(self.close)

    def look(self, file: int, bounds: dict[str, int]) -> dict[str, Any]:
        """What the process says of an open file: its `outcome` (sound, refused or unreadable) and `why`."""
        with self._lock:
            if self._process is None or self._line is None or self._process.poll() is not None:
                self._start()
            assert self._process is not None and self._line is not None
            seconds = bounds["reader_seconds"] + 1 + os.fstat(file).st_size // bounds["reader_rate"]
            self._line.settimeout(_PATIENCE * seconds)
            answer = self._asked(file, bounds)
            if answer is None or answer["outcome"] == "refused":
                ended = self._end()
                return answer or {"outcome": "refused", "why": _why(ended, seconds)}
            return answer

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _asked(self, file: int, bounds: dict[str, int]) -> dict[str, Any] | None:
        """The answer, or None if the process ended or does not answer."""
        assert self._line is not None
        try:
            socket.send_fds(self._line, [json.dumps(bounds).encode()], [file])
            said = b""
            while not said.endswith(b"\n"):
                block = self._line.recv(1 << 16)
                if not block:
                    return None
                said += block
        except OSError:
            return None
        answer: dict[str, Any] = json.loads(said)
        return answer

    def _start(self) -> None:
        self._end()
        self._line, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_PROGRAM), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def _end(self) -> int:
        """End the process, and say how it ended: its exit status, or minus the signal."""
        if self._line is not None:
            self._line.close()
        status = 0
        if self._process is not None:
            try:
                status = self._process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                self._process.kill()
                status = self._process.wait()
        self._process = self._line = None
        return status


@cache
def _reader_of(pid: int) -> Reader:
    return Reader()


def _why(status: int, seconds: int) -> tuple[str, str, str]:
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        return "the time that reading it takes", f"it is at most {seconds} s of the processor", "more"
    name = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    return "the end of the process that reads it", "a sound file is read to its end", name
