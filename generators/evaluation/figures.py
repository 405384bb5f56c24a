"""The figures of an evaluation with intervals: pass@1, majority of eight, pass@k, tokens; and paired differences.

A problem is one observation, since its solutions are no independent evidence about other problems.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import comb
from statistics import NormalDist, fmean, stdev
from typing import Any, Self

from generators.evaluation.recipe import ProblemResult
from generators.search.shares import score_interval

_Z = NormalDist().inv_cdf(0.975)
PASS_AT_1 = "pass_at_1"
MAJORITY = "majority_at_8"
PASS_AT_K = "pass_at_k"
TOKENS = "tokens"
FIGURES: Mapping[str, Callable[[ProblemResult, int], float]] = {
    PASS_AT_1: lambda result, k: result.n_right / result.n,
    MAJORITY: lambda result, k: result.n_votes_right / result.n_votes,
    PASS_AT_K: lambda result, k: pass_at(k, n=result.n, n_right=result.n_right),
    TOKENS: lambda result, k: result.tokens / result.n,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A mean over problems with its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def negative(self) -> "Figure":
        """The figure with the other sign."""
        return Figure(mean=-self.mean, low=-self.high, high=-self.low)

    def __str__(self) -> str:
        """The mean, and half the width of the interval."""
        digits = 1 if max(abs(self.low), abs(self.high)) >= 10 else 3
        return f"{self.mean:.{digits}f} ± {(self.high - self.low) / 2:.{digits}f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a policy did with every evaluation problem; `made_from` identifies problems, prompts and sampling."""

    policy: str
    made_from: str
    k: int
    problems: tuple[ProblemResult, ...]

    def figures(self) -> dict[str, Figure]:
        """Each figure, by name."""
        return {name: _over_problems(values, is_share=name != TOKENS) for name, values in self._by_problem().items()}

    def less(self, other: "Evaluation") -> dict[str, Figure]:
        """Each figure less that of another policy on the same problems: the differences per problem are averaged.

        Raises ValueError if the two were not evaluated alike.
        """
        if (self.made_from, self.k) != (other.made_from, other.k):
            raise ValueError(
                f"{self.policy} and {other.policy} must be evaluated alike to be compared, got {self.made_from} and "
                f"{other.made_from}: evaluate both again"
            )
        mine, theirs = self._by_problem(), other._by_problem()
        return {
            name: _over_problems([new - old for new, old in zip(mine[name], theirs[name], strict=True)], is_share=False)
            for name in FIGURES
        }

    def summary(self, *, before: "Evaluation | None") -> dict[str, Any]:
        """The figures as JSON data, and, unless it is None, each one less that of the policy `before`."""
        summary: dict[str, Any] = {
            "policy": self.policy,
            "problems": len(self.problems),
            "k": self.k,
            "figures": {name: asdict(figure) for name, figure in self.figures().items()},
        }
        if before is not None:
            gains = {name: asdict(figure) for name, figure in self.less(before).items()}
            summary |= {"before": before.policy, "less_before": gains}
        return summary

    def to_json(self) -> bytes:
        """The evaluation as the bytes of a file."""
        return (json.dumps(asdict(self)) + "\n").encode()

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Read back what `to_json` gave."""
        fields = json.loads(content)
        return cls(**fields | {"problems": tuple(ProblemResult(**result) for result in fields["problems"])})

    def _by_problem(self) -> dict[str, list[float]]:
        return {name: [figure(result, self.k) for result in self.problems] for name, figure in FIGURES.items()}


def pass_at(k: int, *, n: int, n_right: int) -> float:
    """The probability that one of `k` solutions drawn from `n` is right (Chen et al. 2021, arXiv 2107.03374, eq. 1)."""
    if not 1 <= k <= n:
        raise ValueError(f"k must be from 1 to n ({n}), got {k}")
    return 1 - comb(n - n_right, k) / comb(n, k)


def _over_problems(values: Sequence[float], *, is_share: bool) -> Figure:
    """The mean with its normal interval; Wilson's where all shares are equal, for they still vary between problems."""
    mean = fmean(values)
    spread = stdev(values) if len(values) > 1 else 0.0
    if is_share and spread == 0:
        low, high = score_interval(mean, len(values))
        return Figure(mean=mean, low=min(low, mean), high=max(high, mean))  # Wilson's ends are rounded
    half = _Z * spread / len(values) ** 0.5
    if not is_share:
        return Figure(mean=mean, low=mean - half, high=mean + half)
    return Figure(mean=mean, low=max(0.0, mean - half), high=min(1.0, mean + half))
