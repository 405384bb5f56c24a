"""Run trainings in parallel, each in its own process on its own device.

Processes rather than threads, since a process has only one random generator for dropout.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from queue import Empty
from typing import Protocol

from generators.training.loop import Say


class Training(Protocol):
    """Anything that trains on one device; it must be picklable."""

    def run(self, device: str, say: Say) -> None:
        """Train on `device`."""
        ...


def run_side_by_side(trainings: Sequence[Training], devices: Sequence[str], say: Say) -> None:
    """Run each training on its own device; `say` receives all their lines, and the first error is raised at the end."""
    context = get_context("spawn")  # a forked process cannot use its parent's GPUs
    with context.Manager() as manager, ProcessPoolExecutor(len(trainings), context, max_tasks_per_child=1) as processes:
        lines = manager.Queue()
        running = [
            processes.submit(training.run, device, lines.put)
            for training, device in zip(trainings, devices[: len(trainings)], strict=True)
        ]
        while not (all(future.done() for future in running) and lines.empty()):
            try:
                say(lines.get(timeout=0.2))
            except Empty:
                continue
        for future in running:
            future.result()
