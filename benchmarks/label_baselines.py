"""What the sequential test is measured against: a scan, a bisection, and the discipline of the open OmegaPRM.

Written from their descriptions, on the house's own search interface; for comparison only.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from generators.sampling.tasks import gather
from generators.search.shares import share_conclusion
from generators.search.strategy import ALL_DRAWN, NOT_NEEDED, OWN_OUTCOME, Conclusion, Cut, Draw, Path
from generators.search.tree import Node, Tree


async def _drawn(node: Node, draw: Draw, *, k: int, start: int = 0) -> bool:
    """Whether one of `k` rollouts from a node ends right; the node counts them."""
    continuations = await draw(node, start=start, n=k)
    for continuation in continuations:
        continuation.tell(node)
    return any(continuation.outcome for continuation in continuations)


def _concluded(path: Path) -> Conclusion:
    reasons = (ALL_DRAWN if node.outcomes else NOT_NEEDED for node in path[:-1])
    return share_conclusion(path, (*reasons, OWN_OUTCOME))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Step by step from the first one, `k` rollouts each, until none of them ends right."""

    k: int
    name: str = "scan"

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    async def search(self, tree: Tree, paths: Sequence[Path], *, draw: Draw, cut: Cut) -> tuple[Path, ...]:
        async def one(path: Path) -> None:
            for node in path[:-1]:
                if not await _drawn(node, draw, k=self.k):
                    return

        await gather(one(path) for path in paths)
        return tuple(paths)

    def conclude(self, tree: Tree, path: Path) -> Conclusion:
        return _concluded(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bisection:
    """Halve the steps: `k` rollouts from the middle, to the right of it where one ends right."""

    k: int
    name: str = "bisection"

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    async def search(self, tree: Tree, paths: Sequence[Path], *, draw: Draw, cut: Cut) -> tuple[Path, ...]:
        async def one(path: Path) -> None:
            low, high = 0, len(path) - 1
            while low < high:
                middle = (low + high) // 2
                low, high = (middle + 1, high) if await _drawn(path[middle], draw, k=self.k) else (low, middle)

        await gather(one(path) for path in paths)
        return tuple(paths)

    def conclude(self, tree: Tree, path: Path) -> Conclusion:
        return _concluded(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDiscipline:
    """How the open OmegaPRM spends: a filter of 32 that is thrown away, 16 from the root, and the same rollout again.

    The rollout that was searched goes back into the heap and is found best again, and its prefixes are estimated anew
    as new nodes, until about `budget` is spent. The last estimate of a prefix is its label.
    """

    k: int = 16
    filter_rollouts: int = 32
    budget: int = 200
    name: str = "open_omegaprm"

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    async def search(self, tree: Tree, paths: Sequence[Path], *, draw: Draw, cut: Cut) -> tuple[Path, ...]:
        behind = len(tree.root.outcomes)
        await draw(tree.root, start=behind, n=self.filter_rollouts + self.k)

        async def one(path: Path) -> None:
            spent, drawn = self.k, dict.fromkeys(path, 0)
            while spent < self.budget and len(path) > 1:
                low, high = 0, len(path) - 1
                while low < high and spent < self.budget:
                    middle = (low + high) // 2
                    node = path[middle]
                    node.outcomes.clear()
                    found = await _drawn(node, draw, k=self.k, start=drawn[node])
                    drawn[node] += self.k
                    spent += self.k
                    low, high = (middle + 1, high) if found else (low, middle)

        await gather(one(path) for path in paths[:1])
        return tuple(paths[:1])

    def conclude(self, tree: Tree, path: Path) -> Conclusion:
        return _concluded(path)
