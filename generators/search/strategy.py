"""What a search strategy is handed and what it gives back: one interface for all of them.

Knows no strategy and no engine. A strategy decides from which node of a problem's tree the next rollouts start; it is
handed `draw`, and tells the nodes of what it made use of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from generators.records import Rollout, StepValues
from generators.search.tree import Node, Outcome, Tree

Path = tuple[Node, ...]  # the node behind each step of a solution; the last one ends it

ALL_DRAWN = "all_drawn"  # every rollout of a fixed budget was drawn
SURE = "sure"  # the state of the step is known with the asked-for confidence
NOT_SURE = "not_sure"  # the cap was reached before that
TELLS_NOTHING = "tells_nothing"  # what is left of the cap would not tell it either
NOT_NEEDED = "not_needed"  # the search never had to look here
OWN_OUTCOME = "own_outcome"  # the last step: nothing continues it


@dataclass(frozen=True, slots=True)
class Continuation:
    """A rollout from a node, and what it came to."""

    rollout: Rollout
    outcome: Outcome

    def tell(self, node: Node) -> None:
        """Have the node count it."""
        node.tell(self.rollout.index, self.outcome)


class Draw(Protocol):
    """Rollouts `start` to `start + n - 1` from a node, in their order; the node counts what it is told of.

    Up to `ahead` further ones may be begun where the engine is idle: a strategy that draws one after another will
    probably ask for them next.
    """

    async def __call__(self, node: Node, *, start: int, n: int, ahead: int = 0) -> tuple[Continuation, ...]:
        """Raises EngineError."""
        ...


class Cut(Protocol):
    """Makes a path of the tree out of a rollout from a node: its steps are new nodes where they are not there yet."""

    def __call__(self, node: Node, rollout: Rollout, outcome: Outcome) -> Path:
        """The path from the root to the rollout's end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What a strategy makes of the counts behind the steps of one solution, one entry a step.

    `sound` is the probability that nothing up to a step's end is wrong, where the strategy has one. `stop_reasons` says
    why no more rollouts were drawn.
    """

    values: StepValues
    sound: tuple[float, ...] | None
    stop_reasons: tuple[str, ...]


class Strategy(Protocol):
    """A way to spend rollouts on the solutions of one problem."""

    @property
    def name(self) -> str:
        """What the column `strategy` says."""
        ...

    def plain(self) -> dict[str, Any]:
        """Name and settings as JSON can hold them."""
        ...

    async def search(self, tree: Tree, paths: Sequence[Path], *, draw: Draw, cut: Cut) -> tuple[Path, ...]:
        """Draw what is needed; the searched paths, in an order that depends on outcomes only."""
        ...

    def conclude(self, tree: Tree, path: Path) -> Conclusion:
        """What the tree's counts say of one path; asks for nothing."""
        ...
