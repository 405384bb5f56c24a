"""Worker processes for symbolic comparison: started when first needed, killed on time-out, replaced when they die.

Workers come from a fork server, which has no threads, so a process with threads can start them safely. They end with
that process, however it ends.
"""

import asyncio
import logging
import multiprocessing
import os
import resource
import signal
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from math import ceil
from multiprocessing.connection import wait
from types import TracebackType
from typing import Self

from pebble import ProcessPool

from filters.answers.algebra.symbolic import decide
from filters.answers.verdicts import Verdict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """Number of processes, and the limits of one comparison: seconds from when work on it starts, MiB of memory."""

    processes: int = 1
    seconds: float = 5.0
    memory_mib: int = 2048

    def __post_init__(self) -> None:
        if self.processes < 1:
            raise ValueError(f"processes must be at least 1, got {self.processes}")
        if self.seconds <= 0:
            raise ValueError(f"seconds must be above 0, got {self.seconds}")
        if self.memory_mib < 256:
            raise ValueError(f"memory_mib must be at least 256, got {self.memory_mib}")


class SymbolicWorkers:
    """The worker pool as a context manager; leaving it ends every worker and every running comparison."""

    def __init__(self, limits: WorkerLimits) -> None:
        self._limits = limits
        self._pool: ProcessPool | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    async def decide(self, answer: str, gold: str) -> Verdict:
        """Compare two admitted expressions; a worker that fails or is killed gives a verdict, never an exception."""
        try:
            return await asyncio.wrap_future(self._submit(answer, gold))
        except TimeoutError:
            return Verdict.TIMEOUT
        except Exception as error:
            # Algebra and parser may raise anything; the log keeps the reason.
            log.info("No verdict on %r against %r: %r", answer, gold, error)
            return Verdict.ERROR

    def _submit(self, answer: str, gold: str) -> "Future[Verdict]":
        if self._pool is None or not self._pool.active:
            self._close()
            self._pool = self._start()
        future: Future[Verdict] = self._pool.schedule(
            decide, (answer, gold, ceil(self._limits.seconds)), timeout=self._limits.seconds
        )
        return future

    def _start(self) -> ProcessPool:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["sympy"])
        memory = (self._limits.memory_mib,)
        return ProcessPool(self._limits.processes, initializer=_prepare, initargs=memory, context=context)

    def _close(self) -> None:
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()
            self._pool = None


def _prepare(memory_mib: int) -> None:
    """Make a worker cheap to kill and unable to outlive its owner."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_mib << 20, memory_mib << 20))
    threading.Thread(target=_end_with_owner, daemon=True).start()


def _end_with_owner() -> None:
    owner = multiprocessing.parent_process()
    if owner is not None:
        wait([owner.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)
