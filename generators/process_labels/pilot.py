"""The sequential test with priors of its round: a pilot is searched under vague ones, and the rest learns from it.

Knows the strategy and the fit; nothing of engines or files. The pilot is the first problems of the slice in their own
order, so what is learnt depends on ledger and settings alone.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from generators.process_labels.recipe import LabelledProblem
from generators.sampling.runner import run_recipe
from generators.search.prior_fit import Seen, fit_base, fit_pilot
from generators.search.sequential_test import SequentialTest

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
) -> SequentialTest:
    """`strategy` with priors fitted to the (right, all) `attempts` of the slice and to its first `pilot` problems.

    Base rates come from the attempts; the rest from a quarter of the pilot under `strategy`'s own priors, searched
    cheaply, and then from the whole pilot under what that taught: most of its rollouts serve the final search too.

    Raises EngineError; a problem that the engine refuses teaches nothing.
    """
    learnt = replace(strategy, priors=fit_base(attempts, strategy.priors))
    for size, cap in ((pilot // FIRST_SHARE, FIRST_CAP), (pilot, SECOND_CAP)):
        cautious = replace(learnt, cap=min(strategy.cap, cap))
        made = await run_recipe(partial(_labelled, label, cautious), items[:size], window=window)
        seen = [seen for row in made.rows for seen in _seen(row)]
        learnt = replace(strategy, priors=fit_pilot(seen, learnt.priors))
    return learnt


async def _labelled(
    label: Callable[[Item, SequentialTest], Awaitable[LabelledProblem]], strategy: SequentialTest, item: Item
) -> LabelledProblem:
    return await label(item, strategy)


def _seen(labelled: LabelledProblem) -> list[Seen]:
    return [
        Seen(solution.counts, solution.attempt_counts.n_correct, solution.attempt_counts.n_rollouts)
        for solution in labelled.solutions
    ]
