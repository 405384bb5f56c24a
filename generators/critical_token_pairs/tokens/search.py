"""The search of the labels, continued down to single tokens: the token of a wrong step that loses the solution.

Inside one step the value of a prefix changes only where it goes wrong. So the clock of the chain stands still there:
right prefixes are worth what they are at the middle of the step, wrong ones too. The rollouts from the step's start
count as its attempts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from generators.critical_token_pairs.tokens.paths import Span, first_error_shares, token_path
from generators.records import Attempt, StepCounts
from generators.search.belief import Belief
from generators.search.chain import values_at
from generators.search.priors import BASE_RATES, KEPT, RECOVERY_RATES, Priors, likelihood
from generators.search.rollouts import Rollouts
from generators.search.sequential_test import SequentialTest

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TokenSearch:
    """The probability that each token of a response is the first wrong one, and the rollouts drawn after it."""

    shares: tuple[float, ...]
    drawn: tuple[int, ...]


async def search_tokens(
    rollouts: Rollouts, attempt: Attempt, step: Span | None, *, search: SequentialTest, priors: Priors
) -> TokenSearch:
    """Look for the first wrong token of the response by rollouts from single tokens.

    The search takes the start of `step` to be right and its end to be lost. Without a step it covers the whole
    response. Any token may be the first wrong one. Raises EngineError.
    """
    length = len(attempt.token_ids)
    span = step or (0, length)
    tree, path = token_path(rollouts.tree, attempt, span, rollouts.sampler.tokenizer)
    attempts = rollouts.tree.root.counts
    here = (
        replace(priors, even=1.0, by_step=False, by_length=None)
        if step is None
        else step_priors(priors, attempts, step, length)
    )
    search = replace(search, priors=here)
    await search.search(tree, [path], draw=rollouts.draw, cut=rollouts.cut)
    root, counts = tree.root.counts, [node.counts for node in path]
    found = Belief.of(counts, n_right=root.n_correct, n_attempts=root.n_rollouts, priors=here)
    before, after = span[0], length - span[1]
    return TokenSearch(
        shares=(*(0.0,) * before, *first_error_shares(found.sound), *(0.0,) * after),
        drawn=(*(0,) * before, *(len(node.outcomes) for node in path), *(0,) * after),
    )


def step_priors(priors: Priors, attempts: StepCounts, step: Span, length: int) -> Priors:
    """`priors` of whole solutions, moved to the middle of one step of a response of `length` tokens.

    The `attempts` at the problem count here, unless the step is the first: then they are the rollouts from its start,
    and must not count twice.
    """
    remaining = (1 - (step[0] + step[1]) / 2 / length) ** priors.rise
    base, recovery = np.array(priors.base), np.array(priors.recovery)
    if step[0]:
        base = base * likelihood(BASE_RATES, attempts.n_correct, attempts.n_rollouts)
    right, _ = values_at(remaining)
    return replace(
        priors,
        base=_moved(BASE_RATES, np.outer(base, recovery).ravel(), right.ravel()),
        recovery=_moved(RECOVERY_RATES, recovery, np.array(RECOVERY_RATES) * remaining),
        rise=0.0,
        even=1.0,
        by_step=False,
        by_length=None,
    )


def _moved(grid: Sequence[float], weights: Floats, values: Floats) -> tuple[float, ...]:
    """Weights over `values` as weights over the nearest points of `grid`."""
    nearest = np.abs(values[:, None] - np.array(grid)).argmin(1)
    moved = np.bincount(nearest, weights=weights, minlength=len(grid))
    mixed = KEPT * moved / moved.sum() + (1 - KEPT) / len(grid)
    return tuple(float(weight) for weight in mixed / mixed.sum())
