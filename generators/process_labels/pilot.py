"""The priors of the sequential test: fitted to the attempts of a slice and to a pilot search of its first problems.

The pilot takes the problems in their own order, so the priors depend on ledger and settings alone.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from generators.process_labels.recipe import LabelledProblem
from generators.records import LabelledSolution
from generators.sampling.runner import Watch, run_recipe
from generators.search.prior_fit import PilotSolution, fit_base, fit_pilot
from generators.search.sequential_test import SequentialTest, ended
from generators.search.strategy import REFUTED

Item = TypeVar("Item")
FIRST_SHARE = 4
FIRST_CAP = 64
SECOND_CAP = 128


async def calibrated(
    strategy: SequentialTest,
    items: Sequence[Item],
    *,
    attempts: Sequence[tuple[int, int]],
    label: Callable[[Item, SequentialTest], Awaitable[LabelledProblem]],
    pilot: int,
    window: int,
    watch: Watch | None = None,
) -> SequentialTest:
    """Fit the priors of `strategy` to the (right, all) `attempts` of the slice and to its first `pilot` problems.

    Base rates come from the attempts. The other priors come from a cheap search of a quarter of the pilot, and then
    from a search of the whole pilot under those first priors. The final search reuses most of these rollouts. `watch`
    hears of both searches. Raises EngineError; a problem that the engine refuses is left out.
    """
    fitted = replace(strategy, priors=fit_base(attempts, strategy.priors))
    for size, cap in ((pilot // FIRST_SHARE, FIRST_CAP), (pilot, SECOND_CAP)):
        cheap = replace(fitted, cap=min(strategy.cap, cap))
        searched = await run_recipe(partial(_labelled, label, cheap), items[:size], window=window, watch=watch)
        solutions = [solution for row in searched.rows for solution in _pilot_solutions(row)]
        fitted = replace(strategy, priors=fit_pilot(solutions, fitted.priors))
    return fitted


async def _labelled(
    label: Callable[[Item, SequentialTest], Awaitable[LabelledProblem]], strategy: SequentialTest, item: Item
) -> LabelledProblem:
    return await label(item, strategy)


def _pilot_solutions(labelled: LabelledProblem) -> list[PilotSolution]:
    return [
        PilotSolution(
            ended(solution.counts, _refuted(solution)),
            solution.attempt_counts.n_correct,
            solution.attempt_counts.n_rollouts,
        )
        for solution in labelled.solutions
    ]


def _refuted(solution: LabelledSolution) -> int | None:
    """The step from which on the search took the solution to be wrong without rollouts."""
    return solution.stop_reasons.index(REFUTED) if REFUTED in solution.stop_reasons else None
