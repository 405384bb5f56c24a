"""The margin between two steps after the same prefix: a two-sided test of their values by rollouts.

Newcombe's interval for the difference of two shares ("Interval estimation for the difference between independent
proportions", Statistics in Medicine 17, 1998, method 10), computed from the Wilson interval of each.

The test stops where its own rollouts look best, so the margins that pass it are too large by it. `published` measures
them once more, by held-out rollouts (`held_out`).
"""

from dataclasses import dataclass
from math import hypot

from generators.records import Evidence, Margin
from generators.sampling.tasks import gather
from generators.search.held_out import evidence_of, held_out
from generators.search.shares import wilson
from generators.search.strategy import Draw
from generators.search.tree import Node

TOO_SMALL = "margin_too_small"  # the estimate is below `least`
NOT_SURE = "margin_not_sure"  # the estimate is large enough but may be chance
UNDECIDED = "margin_undecided"  # no rollout of one side could be decided
UNVERIFIED = (TOO_SMALL, NOT_SURE, UNDECIDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTest:
    """Rollouts are drawn in lots of `lot` per side, until the interval excludes `least` or a side reaches `cap`.

    A margin holds if its estimate is at least `least` and its interval excludes 0: the first says that there is
    something to learn, the second that it is not chance. Requiring the whole interval above `least` would cost several
    times as many rollouts, and would drop pairs of a weak policy, whose right steps seldom have a value above a half.
    """

    least: float
    lot: int
    cap: int

    def __post_init__(self) -> None:
        if not 0 < self.least < 1:
            raise ValueError(f"least must be above 0 and below 1, got {self.least}")
        if self.lot < 1:
            raise ValueError(f"lot must be at least 1, got {self.lot}")
        if self.cap < self.lot:
            raise ValueError(f"cap must be at least lot ({self.lot}), got {self.cap}")

    def settled(self, margin: Margin) -> bool:
        """Whether the margin's interval lies entirely above or below `least`."""
        return margin.low > self.least or margin.high < self.least

    def unfit(self, margin: Margin) -> str | None:
        """Why a margin does not hold; None if it does."""
        if margin.value < self.least:
            return TOO_SMALL
        return None if margin.low > 0 else NOT_SURE


def interval_of(step: Evidence) -> tuple[float, float]:
    """The 95 % interval of a step's value; an outcome has no width."""
    return wilson(step.counts) if step.own_outcome is None else (float(step.own_outcome),) * 2


def margin_of(chosen: Evidence, rejected: Evidence) -> Margin | None:
    """The margin between two steps; None if either has no value."""
    better, worse = chosen.value, rejected.value
    if better is None or worse is None:
        return None
    (better_low, better_high), (worse_low, worse_high) = interval_of(chosen), interval_of(rejected)
    difference = better - worse
    return Margin(
        chosen=chosen,
        rejected=rejected,
        value=difference,
        low=difference - hypot(better - better_low, worse_high - worse),
        high=difference + hypot(better_high - better, worse - worse_low),
    )


async def measure(chosen: Node, rejected: Node, *, draw: Draw, test: MarginTest) -> Margin | None:
    """The margin between two nodes by rollouts, including those that they already have; raises EngineError.

    The next lot goes to the side with fewer rollouts, or to both if they have equally many.
    """
    open_sides = [node for node in (chosen, rejected) if not node.is_end]
    while True:
        margin = margin_of(evidence_of(chosen), evidence_of(rejected))
        fewest = min((len(node.outcomes) for node in open_sides), default=test.cap)
        if fewest >= test.cap or (margin is not None and test.settled(margin)):
            return margin
        n = min(test.lot, test.cap - fewest)
        await gather(_extend(node, n, draw) for node in open_sides if len(node.outcomes) == fewest)


async def _extend(node: Node, n: int, draw: Draw) -> None:
    for continuation in await draw(node, start=len(node.outcomes), n=n, ahead=n):
        continuation.record_on(node)


async def published(chosen: Node, rejected: Node, *, draw: Draw, n: int) -> Margin | None:
    """The margin by `n` held-out rollouts of each node, which the test never saw; raises EngineError.

    Its mean over the pairs that pass the test is their mean true margin, whatever the test made of its own rollouts.
    One margin may well be below the test's least, or below 0; to leave such pairs out would bring the bias back. None
    if no held-out rollout of one side could be decided.
    """
    return margin_of(*await gather(held_out(node, n=n, draw=draw) for node in (chosen, rejected)))
