"""The exhaustive strategy: a fixed number of rollouts from the end of every step.

Math-Shepherd (arXiv 2312.08935, section 3.3).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from generators.sampling.tasks import gather
from generators.search.shares import share_conclusion
from generators.search.strategy import ALL_DRAWN, Conclusion, Cut, Draw, Path, open_steps
from generators.search.tree import Node, Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhaustive:
    """`rollouts_per_step` continuations from every step except the last, which nothing continues, and those refuted."""

    rollouts_per_step: int = 8
    name: str = "exhaustive"

    def __post_init__(self) -> None:
        if self.rollouts_per_step < 1:
            raise ValueError(f"rollouts_per_step must be at least 1, got {self.rollouts_per_step}")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    async def search(self, tree: Tree, paths: Sequence[Path], *, draw: Draw, cut: Cut) -> tuple[Path, ...]:
        async def spend(node: Node) -> None:
            for continuation in await draw(node, start=0, n=self.rollouts_per_step):
                continuation.record_on(node)

        await gather(spend(node) for node in dict.fromkeys(node for path in paths for node in open_steps(path)))
        return tuple(paths)

    def conclude(self, tree: Tree, path: Path) -> Conclusion:
        return share_conclusion(path, [ALL_DRAWN for _ in path[:-1]])
