"""The exhaustive scan for critical tokens, without the rollouts that can no longer change its verdict.

For each token the verdict depends on whether no rollout ends right, or more than the tolerated number do. Once more
than that number ended right, the remaining rollouts do not matter. Rollouts are drawn in the same order as in the full
scan, so the verdict is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from generators.sampling.tasks import gather
from generators.search.exhaustive import Exhaustive
from generators.search.strategy import Conclusion, Cut, Draw, Path
from generators.search.tree import Node, Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedScan:
    """The scan `whole`, drawing each token's rollouts in lots until more than `tolerated` ended right."""

    whole: Exhaustive
    tolerated: int
    lot: int = 8

    @property
    def name(self) -> str:
        """The name of the full scan."""
        return self.whole.name

    def to_json(self) -> dict[str, object]:
        return self.whole.to_json()

    async def search(self, tree: Tree, paths: Sequence[Path], *, draw: Draw, cut: Cut) -> tuple[Path, ...]:
        async def spend(node: Node) -> None:
            total = self.whole.rollouts_per_step
            for start in range(0, total, self.lot):
                for continuation in await draw(node, start=start, n=min(self.lot, total - start)):
                    continuation.record_on(node)
                if node.counts.n_correct > self.tolerated:
                    return

        await gather(spend(node) for node in dict.fromkeys(node for path in paths for node in path[:-1]))
        return tuple(paths)

    def conclude(self, tree: Tree, path: Path) -> Conclusion:
        return self.whole.conclude(tree, path)
