"""The priors of the sequential test: fitted to the attempts of a slice and to a pilot of its first problems.

The pilot takes the problems in their own order, so the priors depend on ledger and settings alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from math import ceil
from typing import TypeVar

from generators.process_labels.recipe import LabelledProblem
from generators.records import LabelledSolution
from generators.sampling.runner import Watch, run_recipe
from generators.search.exhaustive import Exhaustive
from generators.search.prior_fit import Attempted, PilotSolution, fit_base, fit_pilot
from generators.search.sequential_test import SequentialTest, ended
from generators.search.strategy import REFUTED, Strategy

Item = TypeVar("Item")
EVEN_SHARE = 4  # one in how many problems of the pilot is looked at evenly
ROLLOUTS_PER_STEP = 3
CAP = 128


async def calibrated(
    strategy: SequentialTest,
    items: Sequence[Item],
    *,
    tried: Sequence[Attempted],
    label: Callable[[Item, Strategy], Awaitable[LabelledProblem]],
    pilot: int,
    window: int,
    watch: Watch | None = None,
) -> SequentialTest:
    """Fit the priors of `strategy` to all problems `tried` in the slice and to its first `pilot` ones.

    Base rates come from all attempts. The other priors come from a quarter of the pilot, with a few rollouts from every
    step: a search looks where errors may be, which does not tell how values run along a solution. The rest of the pilot
    is then searched under those first priors, and both together give the final ones. The final search reuses most of
    these rollouts. `watch` hears of both parts. Raises EngineError; a problem that the engine refuses is left out.
    """
    based = fitted = replace(strategy, priors=fit_base(tried, strategy.priors))
    n_even = ceil(pilot / EVEN_SHARE)
    seen: list[PilotSolution] = []
    cheap: Strategy = Exhaustive(rollouts_per_step=ROLLOUTS_PER_STEP)
    for part in (items[:n_even], items[n_even:pilot]):
        done = await run_recipe(partial(_labelled, label, cheap), part, window=window, watch=watch)
        seen += [solution for row in done.rows for solution in _pilot_solutions(row)]
        # In a thread, for other stages draw meanwhile.
        fitted = replace(strategy, priors=await asyncio.to_thread(fit_pilot, seen, based.priors))
        cheap = replace(fitted, cap=min(strategy.cap, CAP))
    return fitted


async def _labelled(
    label: Callable[[Item, Strategy], Awaitable[LabelledProblem]], strategy: Strategy, item: Item
) -> LabelledProblem:
    return await label(item, strategy)


def _pilot_solutions(labelled: LabelledProblem) -> list[PilotSolution]:
    return [
        PilotSolution(
            ended(solution.counts, _refuted(solution)),
            len(solution.counts),
            solution.attempt_counts.n_correct,
            solution.attempt_counts.n_rollouts,
        )
        for solution in labelled.solutions
    ]


def _refuted(solution: LabelledSolution) -> int | None:
    """The step from which on the search took the solution to be wrong without rollouts."""
    return solution.stop_reasons.index(REFUTED) if REFUTED in solution.stop_reasons else None
