"""Units of work on two processes of one thread each, with a progress line that says how long the rest will take."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

PROCESSES = 2
_KEPT_S = 0.5  # a unit that took less was read back


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A call of a function of a module; `weight` is its expected length in any unit of time."""

    name: str
    weight: float
    call: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(slots=True)
class Pace:
    """How long units took so far by their weight, and how much weight is still to come."""

    ahead: float
    say: Callable[[str], None]
    seconds: float = 0.0
    weight: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def took(self, unit: Unit, seconds: float) -> None:
        """A unit is done."""
        self.ahead -= unit.weight
        if seconds > _KEPT_S:
            self.seconds += seconds
            self.weight += unit.weight
        left = self.ahead * self.seconds / self.weight / PROCESSES if self.weight else 0.0
        passed = time.monotonic() - self.began
        self.say(f"{passed / 60:.1f} min: {unit.name} in {seconds:.0f} s, about {left / 60:.1f} min left")


def all_done(units: Sequence[Unit], pace: Pace) -> list[Any]:
    """The results of the units in their order, the heaviest begun first; the first error stops what has not begun."""
    results: dict[int, Any] = {}
    context = get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, context, initializer=_alone) as processes:
        order = sorted(range(len(units)), key=lambda index: -units[index].weight)
        running = {processes.submit(_timed, units[index]): index for index in order}
        try:
            for future in as_completed(running):
                index = running[future]
                results[index], seconds = future.result()
                pace.took(units[index], seconds)
        except BaseException:
            processes.shutdown(wait=False, cancel_futures=True)
            raise
    return [results[index] for index in range(len(units))]


def _timed(unit: Unit) -> tuple[Any, float]:
    began = time.monotonic()
    return unit.call(*unit.arguments), time.monotonic() - began


def _alone() -> None:
    """One thread, and after others that want the core."""
    import torch

    torch.set_num_threads(1)
    os.nice(5)
