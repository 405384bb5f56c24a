"""The exhaustive scan for critical tokens, without the rollouts that can no longer change its verdict.

The verdict asks of every token whether none of its rollouts ends right, or more than the tolerated number: once that
many more did, the rest of them says nothing. Rollouts are the same ones in the same order, so the verdict is too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from generators.sampling.tasks import gather
from generators.search.exhaustive import Exhaustive
from generators.search.strategy import Conclusion, Cut, Draw, Path
from generators.search.tree import Node, Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedScan:
    """`whole` as far as it takes: rollouts from a token come in lots, until more than `tolerated` ended right."""

    whole: Exhaustive
    tolerated: int
    lot: int = 8

    @property
    def name(self) -> str:
        """That of the scan it stands for."""
        return self.whole.name

    def plain(self) -> dict[str, object]:
        return self.whole.plain()

    async def search(self, tree: Tree, paths: Sequence[Path], *, draw: Draw, cut: Cut) -> tuple[Path, ...]:
        async def spend(node: Node) -> None:
            total = self.whole.rollouts_per_step
            for start in range(0, total, self.lot):
                for continuation in await draw(node, start=start, n=min(self.lot, total - start)):
                    continuation.tell(node)
                if node.counts.n_correct > self.tolerated:
                    return

        await gather(spend(node) for node in dict.fromkeys(node for path in paths for node in path[:-1]))
        return tuple(paths)

    def conclude(self, tree: Tree, path: Path) -> Conclusion:
        return self.whole.conclude(tree, path)
