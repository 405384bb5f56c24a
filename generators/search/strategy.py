"""The interface of all search strategies: what they are given and what they return.

A strategy decides from which node of a problem's tree the next rollouts start. It draws them through `draw` and records
on the nodes the ones that it used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from generators.records import Rollout, StepValues
from generators.search.tree import Node, Outcome, Tree

Path = tuple[Node, ...]  # the node at the end of each step of a solution; the last one ends it

ALL_DRAWN = "all_drawn"  # every rollout of a fixed budget was drawn
SURE = "sure"  # the state of the step is known with the required confidence
NOT_SURE = "not_sure"  # the cap was reached before that
TELLS_NOTHING = "tells_nothing"  # what is left of the cap would not settle it either
NOT_NEEDED = "not_needed"  # the search did not need rollouts here
REFUTED = "refuted"  # this step, or one before it, states something false: it is wrong without a rollout
OWN_OUTCOME = "own_outcome"  # the last step: nothing continues it


def first_refuted(path: Path) -> int | None:
    """The index of the first step of a path that is known to be wrong without a rollout; None if there is none."""
    return next((index for index, node in enumerate(path) if node.is_refuted), None)


def open_steps(path: Path) -> Path:
    """The steps from whose ends rollouts say something: all but the last, up to the first refuted one."""
    refuted = first_refuted(path)
    return path[:-1] if refuted is None else path[:refuted]


@dataclass(frozen=True, slots=True)
class Continuation:
    """A rollout from a node, its outcome, and whether it ends without a recognised answer."""

    rollout: Rollout
    outcome: Outcome
    no_answer: bool = False

    def record_on(self, node: Node) -> None:
        """Record this continuation on `node`."""
        node.record(self.rollout.index, self.outcome, no_answer=self.no_answer)


class Draw(Protocol):
    """Rollouts `start` to `start + n - 1` from a node, in order; the node counts only those recorded on it.

    Up to `ahead` further ones may be started if the engine is idle: a strategy that draws one by one will probably
    request them next.
    """

    async def __call__(self, node: Node, *, start: int, n: int, ahead: int = 0) -> tuple[Continuation, ...]:
        """Draw the rollouts; raises EngineError."""
        ...


class Cut(Protocol):
    """Adds a rollout from a node to the tree as a path; steps that are not in the tree yet become new nodes."""

    def __call__(self, node: Node, rollout: Rollout, outcome: Outcome) -> Path:
        """The path from the root to the rollout's end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What a strategy concludes from the counts of one solution's steps, with one entry per step.

    `sound` is the probability that nothing up to a step's end is wrong, if the strategy estimates it. `stop_reasons`
    says why no more rollouts were drawn.
    """

    values: StepValues
    sound: tuple[float, ...] | None
    stop_reasons: tuple[str, ...]


class Strategy(Protocol):
    """A way to spend rollouts on the solutions of one problem."""

    @property
    def name(self) -> str:
        """The value of the column `strategy`."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Name and settings as JSON values."""
        ...

    async def search(self, tree: Tree, paths: Sequence[Path], *, draw: Draw, cut: Cut) -> tuple[Path, ...]:
        """Draw what is needed and return the searched paths, in an order that depends only on outcomes."""
        ...

    def conclude(self, tree: Tree, path: Path) -> Conclusion:
        """What the tree's counts say about one path; draws nothing."""
        ...
