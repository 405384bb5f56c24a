"""The figures of the run: every arm and every kind of labels against its baseline, with intervals over both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.laboratory_value.arms import ARMS, BASE
from benchmarks.laboratory_value.crossed import Interval, Values, difference, interval
from benchmarks.laboratory_value.evaluating import DEEP
from benchmarks.laboratory_value.reward_bench import KINDS
from generators.evaluation.figures import pass_at

PASS_AT_64 = "pass_at_64"
RECOVERY = "recovery"
GAINS = ("pass_at_1", "majority_at_8", PASS_AT_64, "tokens", RECOVERY)
REWARD_FIGURES = ("order", "best_of_8", "weighted", "first_error_f1")
MAJORITY = "majority"
CHANCE = "chance"
RELEASED = "released_hard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A figure of an arm less that of what it is compared with."""

    name: str
    against: str
    figure: str
    level: Interval
    gain: Interval

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON data."""
        return {
            "against": self.against,
            "mean": round(self.level.mean, 4),
            "gain": round(self.gain.mean, 4),
            "low": round(self.gain.low, 4),
            "high": round(self.gain.high, 4),
        }


def by_problem(result: Mapping[str, Any], figure: str) -> list[float]:
    """A figure of one policy for every problem that it is measured on."""
    if figure == RECOVERY:
        return list(result["recovered"])
    solved = result["solved"]
    if figure == PASS_AT_64:
        return [pass_at(DEEP, n=one["n"], n_right=one["n_right"]) for one in solved if one["n"] >= DEEP]
    if figure == "majority_at_8":
        return [one["n_votes_right"] / one["n_votes"] for one in solved]
    return [one["n_right" if figure == "pass_at_1" else "tokens"] / one["n"] for one in solved]


def of_arms(base: Mapping[str, Any], results: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Compared]:
    """Every arm against its baseline and against the policy itself; `results` has one result for each seed."""
    compared = []
    for name, of_seeds in results.items():
        for against in dict.fromkeys((BASE, ARMS[name].against)):
            before = [base] * len(of_seeds) if against == BASE else results[against]
            for figure in GAINS:
                mine, theirs = _values(of_seeds, figure), _values(before, figure)
                compared.append(
                    Compared(
                        name=name,
                        against=against,
                        figure=figure,
                        level=interval(mine),
                        gain=difference(mine, theirs),
                    )
                )
    return compared


def of_rewards(measured: Mapping[str, Sequence[Mapping[str, Any]]], majorities: Sequence[float]) -> list[Compared]:
    """Every kind of labels against the released ones, and what it chooses against a plain majority."""
    compared = []
    for name, of_seeds in measured.items():
        for figure in REWARD_FIGURES:
            mine = _known([seed[figure] for seed in of_seeds])
            if name != RELEASED:
                theirs = _known([seed[figure] for seed in measured[RELEASED]])
                compared.append(
                    Compared(
                        name=name, against=RELEASED, figure=figure, level=interval(mine), gain=difference(mine, theirs)
                    )
                )
            if figure in ("best_of_8", "weighted"):
                plain = [list(majorities)] * len(mine)
                compared.append(
                    Compared(
                        name=name, against=MAJORITY, figure=figure, level=interval(mine), gain=difference(mine, plain)
                    )
                )
            elif name == RELEASED:
                chance = [[0.5 if figure == "order" else 0.0] * len(mine[0])] * len(mine)
                compared.append(
                    Compared(
                        name=name, against=CHANCE, figure=figure, level=interval(mine), gain=difference(mine, chance)
                    )
                )
    return compared


def _values(results: Sequence[Mapping[str, Any]], figure: str) -> Values:
    return [by_problem(result, figure) for result in results]


def _known(values: Sequence[Sequence[float | None]]) -> list[list[float]]:
    """Without the problems that have no value; they are the same for all seeds, whose samples are the same."""
    return [[value for value in seed if value is not None] for seed in values]


def titles() -> dict[str, str]:
    """How arms and kinds of labels are called in tables and pictures."""
    return {
        BASE: "the policy itself",
        MAJORITY: "plain majority",
        CHANCE: "chance",
        **{name: arm.title for name, arm in ARMS.items()},
        **KINDS,
    }
