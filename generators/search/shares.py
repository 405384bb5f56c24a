"""The step value from counts alone: the share of right rollouts and its Wilson interval."""

from collections.abc import Sequence
from math import sqrt

from generators.records import StepCounts, StepValues
from generators.search.strategy import OWN_OUTCOME, REFUTED, Conclusion, Path, first_refuted

_Z = 1.959964  # 95 %


def wilson(counts: StepCounts) -> tuple[float, float]:
    """The 95 % score interval of a step's share; the whole range if it has no rollout."""
    n = counts.n_rollouts
    return score_interval(counts.n_correct / n, n) if n else (0.0, 1.0)


def score_interval(share: float, n: int) -> tuple[float, float]:
    """The 95 % score interval of a share of `n` (at least one) observations (Wilson 1927)."""
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def share_values(counts: Sequence[StepCounts], refuted: int | None = None) -> StepValues:
    """The share of right rollouts of each step; the last step's value is exactly its own outcome.

    From the `refuted` step on, every value is 0.
    """
    bounds = [wilson(step) for step in counts[:-1]]
    own = float(counts[-1].n_correct)
    values = StepValues(
        mean=tuple(step.n_correct / step.n_rollouts if step.n_rollouts else None for step in counts),
        low=(*(low for low, _ in bounds), own),
        high=(*(high for _, high in bounds), own),
    )
    return values if refuted is None else worthless_from(refuted, values, len(counts))


def worthless_from(refuted: int, values: StepValues, n_steps: int) -> StepValues:
    """The values of the steps before the refuted one, and 0 for the others."""
    zeros = (0.0,) * (n_steps - refuted)
    return StepValues(
        (*values.mean[:refuted], *zeros), (*values.low[:refuted], *zeros), (*values.high[:refuted], *zeros)
    )


def share_conclusion(path: Path, stop_reasons: Sequence[str]) -> Conclusion:
    """The conclusion from the shares along a path, with the reasons of all steps but the last.

    `sound` is None, since shares say nothing about it.
    """
    refuted = first_refuted(path)
    reasons = (*stop_reasons, OWN_OUTCOME)
    if refuted is not None:
        reasons = (*reasons[:refuted], *(REFUTED for _ in path[refuted:]))
    return Conclusion(values=share_values([node.counts for node in path], refuted), sound=None, stop_reasons=reasons)
