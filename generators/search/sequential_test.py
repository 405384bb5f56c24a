"""The sequential test: draw rollouts where they say most about the first error, until it is known or cannot be.

The solution's own outcome is not evidence, since the solution was selected by it. The attempts at the problem inform
its base rate. Solutions of one problem share the rollouts from a shared prefix. A solution with a refuted step is
searched as one that ends there, wrong.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from generators.records import StepCounts, StepValues
from generators.sampling.tasks import gather
from generators.search.belief import Belief
from generators.search.priors import Priors
from generators.search.shares import worthless_from
from generators.search.strategy import (
    NOT_NEEDED,
    NOT_SURE,
    OWN_OUTCOME,
    REFUTED,
    SURE,
    TELLS_NOTHING,
    Conclusion,
    Cut,
    Draw,
    Path,
    first_refuted,
    open_steps,
)
from generators.search.tree import Tree

_ENDS_WRONG = StepCounts(n_correct=0, n_rollouts=1, n_undecided=0)


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
        await gather(self._locate(path, self._prior_belief(tree, path), draw) for path in paths)
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
        root, refuted = tree.root.counts, first_refuted(path)
        measured = Measured.of(
            [node.counts for node in path],
            n_right=root.n_correct,
            n_attempts=root.n_rollouts,
            priors=self.priors,
            refuted=refuted,
        )
        return Conclusion(
            values=measured.values, sound=measured.sound, stop_reasons=self._reasons(measured.sound, path)
        )

    def _reasons(self, sound: Sequence[float], path: Path) -> tuple[str, ...]:
        steps = open_steps(path)
        spent = sum(len(node.outcomes) for node in steps)
        unsure = NOT_SURE if spent >= self.cap else TELLS_NOTHING
        reasons = []
        for node, share in zip(steps, sound, strict=False):
            is_sure = self.confidence <= max(share, 1 - share)
            reasons.append((SURE if node.outcomes else NOT_NEEDED) if is_sure else unsure)
        closing = [OWN_OUTCOME] if first_refuted(path) is None else [REFUTED] * (len(path) - len(steps))
        return (*reasons, *closing)

    def _prior_belief(self, tree: Tree, path: Path) -> Belief:
        root, refuted = tree.root.counts, first_refuted(path)
        return Belief(
            len(path) if refuted is None else refuted + 1,
            ends_right=refuted is None and bool(path[-1].counts.n_correct),
            n_right=root.n_correct,
            n_attempts=root.n_rollouts,
            priors=self.priors,
            whole=len(path),
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """The values of all steps of a solution, and how probably each is sound."""

    values: StepValues
    sound: tuple[float, ...]

    @classmethod
    def of(
        cls, counts: Sequence[StepCounts], *, n_right: int, n_attempts: int, priors: Priors, refuted: int | None
    ) -> "Measured":
        """What the counts of a solution say; from the `refuted` step on, nothing is sound and every value is 0."""
        belief = Belief.of(
            ended(counts, refuted), n_right=n_right, n_attempts=n_attempts, priors=priors, whole=len(counts)
        )
        if refuted is None:
            return cls(belief.values(), belief.sound)
        after = (0.0,) * (len(counts) - refuted)
        return cls(worthless_from(refuted, belief.values(), len(counts)), (*belief.sound[:refuted], *after))


def ended(counts: Sequence[StepCounts], refuted: int | None) -> tuple[StepCounts, ...]:
    """The counts of a solution that ends wrong at its refuted step; the whole solution where none is refuted."""
    return tuple(counts) if refuted is None else (*counts[:refuted], _ENDS_WRONG)
