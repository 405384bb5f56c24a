"""The sequential test: draw rollouts where they say most about the first error, until it is known or cannot be.

The solution's own outcome is not evidence, since the solution was selected by it. The attempts at the problem inform
its base rate. Solutions of one problem share the rollouts from a shared prefix.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from generators.sampling.tasks import gather
from generators.search.belief import Belief
from generators.search.priors import Priors
from generators.search.strategy import (
    NOT_NEEDED,
    NOT_SURE,
    OWN_OUTCOME,
    SURE,
    TELLS_NOTHING,
    Conclusion,
    Cut,
    Draw,
    Path,
)
from generators.search.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialTest:
    """Stops at `confidence` in the first error, at `cap` rollouts a solution, or when the rest cannot reach it.

    The rest of the cap is given up when `patience` times its expected information, at the current rate, is below what
    is still unknown. Rollouts are requested one by one; up to `ahead` further ones from the same step may be started
    if the engine would otherwise idle, which changes no decision.
    """

    priors: Priors = field(default_factory=Priors)
    confidence: float = 0.94
    cap: int = 256
    patience: float = 2.0
    ahead: int = 4
    name: str = "sequential_test"

    def __post_init__(self) -> None:
        if not 0.5 < self.confidence < 1:
            raise ValueError(f"confidence must be above 0.5 and below 1, got {self.confidence}")
        for name, bound in (("cap", 1), ("ahead", 0)):
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")
        if self.patience < 1:
            raise ValueError(f"patience must be at least 1, got {self.patience}")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    async def search(self, tree: Tree, paths: Sequence[Path], *, draw: Draw, cut: Cut) -> tuple[Path, ...]:
        await gather(self._locate(path, self._belief(tree, path), draw) for path in paths)
        return tuple(paths)

    async def _locate(self, path: Path, belief: Belief, draw: Draw) -> None:
        n_drawn = [0] * len(path)
        spent = 0
        while spent < self.cap and belief.confidence < self.confidence:
            step, gain = belief.most_informative()
            if (self.cap - spent) * gain * self.patience < belief.unknown:
                return
            node = path[step]
            ahead = min(self.ahead, self.cap - spent - 1)
            (continuation,) = await draw(node, start=n_drawn[step], n=1, ahead=ahead)
            continuation.record_on(node)
            n_drawn[step] += 1
            spent += 1
            if continuation.outcome is not None:
                belief.add(step, continuation.outcome)

    def conclude(self, tree: Tree, path: Path) -> Conclusion:
        root, counts = tree.root.counts, [node.counts for node in path]
        belief = Belief.of(counts, n_right=root.n_correct, n_attempts=root.n_rollouts, priors=self.priors)
        return Conclusion(values=belief.values(), sound=belief.sound, stop_reasons=self._reasons(belief, path))

    def _reasons(self, belief: Belief, path: Path) -> tuple[str, ...]:
        spent = sum(len(node.outcomes) for node in path[:-1])
        unsure = NOT_SURE if spent >= self.cap else TELLS_NOTHING
        reasons = [SURE if self.confidence <= max(share, 1 - share) else unsure for share in belief.sound[:-1]]
        known = [
            reason if path[step].outcomes or reason is not SURE else NOT_NEEDED for step, reason in enumerate(reasons)
        ]
        return (*known, OWN_OUTCOME)

    def _belief(self, tree: Tree, path: Path) -> Belief:
        root = tree.root.counts
        return Belief(
            len(path),
            ends_right=bool(path[-1].counts.n_correct),
            n_right=root.n_correct,
            n_attempts=root.n_rollouts,
            priors=self.priors,
        )
