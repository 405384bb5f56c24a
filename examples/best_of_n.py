"""Chooses one answer from several solutions of a problem by their rewards.

The baselines are a single solution, and a majority vote with equal weights.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from filters.answers.verdicts import Verdict
from generators.self_correction_traces.aggregation import by_majority, by_weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A solution with its answer, the verdict on it, and its reward."""

    text: str
    extracted: str | None
    verdict: Verdict
    reward: float


def best_of_n(solutions: Iterable[tuple[Mapping[str, Any], float]]) -> dict[str, float]:
    """The share of problems solved by each way to choose, among problems with several decided solutions.

    `solutions` are rows of `process_labels` with their rewards. `pass_at_1` is the mean over single solutions,
    `weighted` chooses the answer with the largest total reward, `best` the solution with the largest reward. The result
    is empty if no problem has two solutions.
    """
    by_problem: dict[str, list[Scored]] = {}
    for row, reward in solutions:
        verdict = Verdict(row["verdict"])
        if not verdict.is_undecided:
            scored = Scored(text="".join(row["steps"]), extracted=row["extracted"], verdict=verdict, reward=reward)
            by_problem.setdefault(row["problem_id"], []).append(scored)
    groups = [group for group in by_problem.values() if len(group) > 1]
    if not groups:
        return {}
    return {
        "problems": len(groups),
        "solutions": sum(map(len, groups)),
        "pass_at_1": _mean([sum(solution.verdict.is_right for solution in group) / len(group) for group in groups]),
        "majority": _mean([_is_right(by_majority(group)) for group in groups]),
        "weighted": _mean([_is_right(by_weight(group, [solution.reward for solution in group])) for group in groups]),
        "best": _mean([_is_right(max(group, key=lambda solution: solution.reward)) for group in groups]),
    }


def _is_right(chosen: Scored | None) -> float:
    return float(chosen is not None and chosen.verdict.is_right)


def _mean(shares: list[float]) -> float:
    return sum(shares) / len(shares)
