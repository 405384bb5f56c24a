"""The sequential test with priors of its round: a pilot is searched under vague ones, and the rest learns from it.

Knows the strategy and the fit; nothing of engines or files. The pilot is the first problems of the slice in their own
order, so what is learnt depends on ledger and settings alone.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from generators.prior_fit import Seen, fit_base, fit_pilot
from generators.process_labels import LabelledProblem
from generators.runner import run_recipe
from generators.strategies.sequential_test import SequentialTest

Item = TypeVar("Item")
PILOT_CAP = 96


async def calibrated(
    strategy: SequentialTest,
    items: Sequence[Item],
    *,
    attempts: Sequence[tuple[int, int]],
    label: Callable[[Item, SequentialTest], Awaitable[LabelledProblem]],
    pilot: int,
    window: int,
) -> SequentialTest:
    """`strategy` with priors fitted to the (right, all) `attempts` of the slice and to its first `pilot` problems.

    Raises EngineError; a problem that the engine refuses teaches nothing.
    """
    vague = replace(strategy, priors=fit_base(attempts, strategy.priors), cap=min(strategy.cap, PILOT_CAP))
    made = await run_recipe(lambda item: label(item, vague), items[:pilot], window=window)
    return replace(strategy, priors=fit_pilot([seen for row in made.rows for seen in _seen(row)], vague.priors))


def _seen(labelled: LabelledProblem) -> list[Seen]:
    return [
        Seen(solution.counts, solution.attempt_counts.n_correct, solution.attempt_counts.n_rollouts)
        for solution in labelled.solutions
    ]
