"""One answer out of several solutions of a problem, by what a reward model says each is worth.

Knows no model. The baselines stand beside it: one solution, and a majority in which all votes are equal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from filters.answers.verdicts import Verdict
from generators.self_correction_traces.aggregation import by_majority, by_weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A solution, its answer with the verdict on it, and what it is worth."""

    text: str
    extracted: str | None
    verdict: Verdict
    worth: float


def best_of_n(solutions: Iterable[tuple[Mapping[str, Any], float]]) -> dict[str, float]:
    """Shares of the problems with several decided solutions that come out right, by each way to choose.

    `solutions` are rows of `process_labels` with their worth. `pass_at_1` is the mean over single solutions, `weighted`
    the answer with the most worth in all, `best` the solution worth most. Empty where no problem has two solutions.
    """
    by_problem: dict[str, list[Scored]] = {}
    for row, worth in solutions:
        verdict = Verdict(row["verdict"])
        if not verdict.is_undecided:
            scored = Scored(text="".join(row["steps"]), extracted=row["extracted"], verdict=verdict, worth=worth)
            by_problem.setdefault(row["problem_id"], []).append(scored)
    groups = [group for group in by_problem.values() if len(group) > 1]
    if not groups:
        return {}
    return {
        "problems": len(groups),
        "solutions": sum(map(len, groups)),
        "pass_at_1": _mean([sum(one.verdict.is_right for one in group) / len(group) for group in groups]),
        "majority": _mean([_is_right(by_majority(group)) for group in groups]),
        "weighted": _mean([_is_right(by_weight(group, [one.worth for one in group])) for group in groups]),
        "best": _mean([_is_right(max(group, key=lambda one: one.worth)) for group in groups]),
    }


def _is_right(chosen: Scored | None) -> float:
    return float(chosen is not None and chosen.verdict.is_right)


def _mean(shares: list[float]) -> float:
    return sum(shares) / len(shares)
