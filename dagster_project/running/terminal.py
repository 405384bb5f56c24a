"""The terminal while a round is made: what the round says goes there, what libraries print goes to a file."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Terminal(io.FileIO):
    """A file that takes what is written after its terminal was closed; the log of the round has it all."""

    def write(self, content: "ReadableBuffer", /) -> int:
        try:
            return super().write(content)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return memoryview(content).nbytes


@contextmanager
def to_ourselves(log: Path) -> Iterator[TextIO]:
    """Give standard output as it is now, while whatever else this process prints is appended to `log`."""
    try:
        out, err = sys.stdout.fileno(), sys.stderr.fileno()
    except io.UnsupportedOperation:  # no file at all: what runs this has replaced it
        yield sys.stdout
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    with (
        io.TextIOWrapper(io.BufferedWriter(_Terminal(os.dup(out), "wb")), "utf-8", line_buffering=True) as kept_out,
        os.fdopen(os.dup(err), "w", encoding="utf-8") as kept_err,
        log.open("ab") as sink,
    ):
        os.dup2(sink.fileno(), out)
        os.dup2(sink.fileno(), err)
        try:
            yield kept_out
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(kept_out.fileno(), out)
            os.dup2(kept_err.fileno(), err)
