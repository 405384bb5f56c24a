"""The exhaustive reference for critical tokens: many rollouts from every token of a wrong solution.

Critical Tokens Matter (arXiv 2411.19943, section 3.1). It takes thousands of rollouts per solution.
"""

from collections.abc import Sequence

from generators.critical_token_pairs.tokens.paths import token_path
from generators.records import Attempt
from generators.search.exhaustive import Exhaustive
from generators.search.rollouts import Rollouts
from generators.search.strategy import Strategy

PAPER = Exhaustive(rollouts_per_step=64)
TOLERATED = 3  # right rollouts of 64 after a critical token: below 5 %


async def scan(rollouts: Rollouts, attempt: Attempt, *, strategy: Strategy = PAPER) -> tuple[int, ...]:
    """The number of right rollouts from the end of each token; for the last token it is the solution's own outcome.

    Raises EngineError.
    """
    tree, path = token_path(rollouts.tree, attempt, (0, len(attempt.token_ids)), rollouts.sampler.tokenizer)
    await strategy.search(tree, [path], draw=rollouts.draw, cut=rollouts.cut)
    return tuple(node.counts.n_correct for node in path)


def critical_position(n_correct: Sequence[int], *, tolerated: int = TOLERATED) -> int | None:
    """The first token without a right rollout after which no token has more than `tolerated` right rollouts.

    If a later token has more, the candidate is dropped and the search continues. If no candidate holds to the end, the
    last candidate is returned; None if every token has a right rollout.
    """
    candidate = last = None
    for position, n_right in enumerate(n_correct):
        if candidate is None and n_right == 0:
            candidate = last = position
        elif n_right > tolerated:
            candidate = None
    return last if candidate is None else candidate
