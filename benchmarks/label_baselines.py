"""Baselines for the sequential test: a scan, a bisection, and the way the open OmegaPRM implementation spends rollouts.

Written from their descriptions on our search interface; for comparison only.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from generators.sampling.tasks import gather
from generators.search.shares import share_conclusion
from generators.search.strategy import ALL_DRAWN, NOT_NEEDED, Conclusion, Cut, Draw, Path
from generators.search.tree import Node, Tree


async def _any_right(node: Node, draw: Draw, *, k: int, start: int = 0) -> bool:
    """Draw `k` rollouts from a node and count them in it; returns whether any ends right."""
    continuations = await draw(node, start=start, n=k)
    for continuation in continuations:
        continuation.record_on(node)
    return any(continuation.outcome for continuation in continuations)


def _conclude(path: Path) -> Conclusion:
    reasons = (ALL_DRAWN if node.outcomes else NOT_NEEDED for node in path[:-1])
    return share_conclusion(path, list(reasons))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """From the first step on, `k` rollouts per step, until none of them ends right."""

    k: int
    name: str = "scan"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    async def search(self, tree: Tree, paths: Sequence[Path], *, draw: Draw, cut: Cut) -> tuple[Path, ...]:
        async def search_path(path: Path) -> None:
            for node in path[:-1]:
                if not await _any_right(node, draw, k=self.k):
                    return

        await gather(search_path(path) for path in paths)
        return tuple(paths)

    def conclude(self, tree: Tree, path: Path) -> Conclusion:
        return _conclude(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bisection:
    """Bisect the steps: `k` rollouts from the middle, then continue after it if any ends right, else before it."""

    k: int
    name: str = "bisection"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    async def search(self, tree: Tree, paths: Sequence[Path], *, draw: Draw, cut: Cut) -> tuple[Path, ...]:
        async def search_path(path: Path) -> None:
            low, high = 0, len(path) - 1
            while low < high:
                middle = (low + high) // 2
                low, high = (middle + 1, high) if await _any_right(path[middle], draw, k=self.k) else (low, middle)

        await gather(search_path(path) for path in paths)
        return tuple(paths)

    def conclude(self, tree: Tree, path: Path) -> Conclusion:
        return _conclude(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDiscipline:
    """How the open OmegaPRM spends rollouts: 32 discarded filter rollouts, 16 from the root, then repeated searches.

    A searched rollout goes back into the heap and is selected again as the best one. Its prefixes are estimated again
    as new nodes, until about `budget` rollouts are spent. The last estimate of a prefix is its label.
    """

    k: int = 16
    filter_rollouts: int = 32
    budget: int = 200
    name: str = "open_omegaprm"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    async def search(self, tree: Tree, paths: Sequence[Path], *, draw: Draw, cut: Cut) -> tuple[Path, ...]:
        n_attempts = len(tree.root.outcomes)
        await draw(tree.root, start=n_attempts, n=self.filter_rollouts + self.k)

        async def search_path(path: Path) -> None:
            spent, drawn = self.k, dict.fromkeys(path, 0)
            while spent < self.budget and len(path) > 1:
                low, high = 0, len(path) - 1
                while low < high and spent < self.budget:
                    middle = (low + high) // 2
                    node = path[middle]
                    node.outcomes.clear()
                    any_right = await _any_right(node, draw, k=self.k, start=drawn[node])
                    drawn[node] += self.k
                    spent += self.k
                    low, high = (middle + 1, high) if any_right else (low, middle)

        await gather(search_path(path) for path in paths[:1])
        return tuple(paths[:1])

    def conclude(self, tree: Tree, path: Path) -> Conclusion:
        return _conclude(path)
