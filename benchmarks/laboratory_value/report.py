"""The report: tables in Markdown, panels of a picture, and JSON."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.laboratory_value.arms import ARMS, BASE
from benchmarks.laboratory_value.figures import CHANCE, GAINS, MAJORITY, REWARD_FIGURES, Compared, titles
from benchmarks.laboratory_value.picture import Bars

HEADS = {
    "pass_at_1": "pass@1",
    "majority_at_8": "majority of 8",
    "pass_at_64": "pass@64",
    "tokens": "tokens",
    "recovery": "recovery",
    "order": "order",
    "best_of_8": "best of 8",
    "weighted": "weighted majority",
    "first_error_f1": "first-error F1",
}


def arms_table(base: Mapping[str, float], compared: Sequence[Compared], costs: Mapping[str, Mapping[str, Any]]) -> str:
    """One row for each arm: its figures, and the gains in pass@1 over the policy and over its baseline."""
    names = titles()
    lines = [
        f"| | rows | rollouts | tokens made | {' | '.join(HEADS[name] for name in GAINS)} | gain over the policy | "
        "gain over its baseline |",
        f"|---|---|---|---|{'---|' * len(GAINS)}---|---|",
        f"| {names[BASE]} | | | | {' | '.join(_level(name, base[name]) for name in GAINS)} | | |",
    ]
    for name in dict.fromkeys(each.name for each in compared):
        of_arm = {(each.against, each.figure): each for each in compared if each.name == name}
        levels = [_level(figure, of_arm[BASE, figure].level.mean) for figure in GAINS]
        against = ARMS[name].against
        own = "" if against == BASE else f"{_gain(of_arm[against, 'pass_at_1'])} over {names[against]}"
        cost = costs[name]
        lines.append(
            f"| {names[name]} | {cost['rows']:,.0f} | {cost['rollouts']:,.0f} | {cost['tokens']:,.0f} | "
            f"{' | '.join(levels)} | {_gain(of_arm[BASE, 'pass_at_1'])} | {own} |"
        )
    return "\n".join(lines)


def rewards_table(compared: Sequence[Compared], costs: Mapping[str, Mapping[str, float]]) -> str:
    """One row for each kind of labels: its figures, and how they differ from those of the released labels."""
    names = titles()
    heads = [
        *("labels", "solutions", "rollouts", "steps labelled", "labels true"),
        *(HEADS[name] for name in REWARD_FIGURES),
        *("weighted less plain majority", "order less that of released labels"),
    ]
    rows = [heads, ["---"] * len(heads)]
    for name in dict.fromkeys(each.name for each in compared):
        of_kind = [each for each in compared if each.name == name]
        by_figure = {each.figure: each for each in of_kind}
        weighted = next(each for each in of_kind if (each.against, each.figure) == (MAJORITY, "weighted"))
        cost = costs[name]
        rows.append(
            [
                names[name],
                *(f"{cost[key]:,.0f}" for key in ("solutions", "rollouts")),
                f"{cost['labelled']:.2f}",
                f"{cost['true']:.3f}",
                *(_level(figure, by_figure[figure].level.mean) for figure in REWARD_FIGURES),
                _gain(weighted),
                "" if by_figure["order"].against == CHANCE else _gain(by_figure["order"]),
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def panels(arms: Iterable[Compared], rewards: Iterable[Compared]) -> dict[str, Bars]:
    """The panels of the picture: gains in pass@1 over the policy and over baselines, and reward models' gains."""
    names = titles()
    arms, rewards = list(arms), list(rewards)

    def bars(compared: Iterable[Compared], *, with_baseline: bool) -> Bars:
        return [
            (
                f"{names[each.name]}, less {names[each.against]}" if with_baseline else names[each.name],
                {"mean": each.gain.mean, "low": each.gain.low, "high": each.gain.high},
            )
            for each in compared
        ]

    of_pass = [each for each in arms if each.figure == "pass_at_1"]
    recovery = [each for each in arms if each.figure == "recovery" and each.name == "self_correction_traces"]
    order = [each for each in rewards if each.figure == "order" and each.against != CHANCE]
    weighted = [each for each in rewards if each.figure == "weighted" and each.against == MAJORITY]
    return {
        "pass@1, gain over the policy": bars((e for e in of_pass if e.against == BASE), with_baseline=False),
        "pass@1, gain over the baseline at equal cost or equal pairs": bars(
            (e for e in of_pass if e.against != BASE), with_baseline=True
        ),
        "recovery from a wrong start": bars(recovery, with_baseline=True),
        "weighted majority, gain over plain majority": bars(weighted, with_baseline=False),
        "order of samples, less that by released hard labels": bars(order, with_baseline=False),
    }


def to_json(compared: Iterable[Compared], costs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """For each arm: its cost, and each figure's gain, interval and baseline."""
    found: dict[str, Any] = {}
    for each in compared:
        of_arm = found.setdefault(each.name, {"cost": dict(costs[each.name]), "figures": {}})
        of_arm["figures"].setdefault(each.figure, []).append(each.to_json())
    return found


def _level(figure: str, value: float) -> str:
    return f"{value:.0f}" if figure == "tokens" else f"{value:.3f}"


def _gain(compared: Compared) -> str:
    gain = compared.gain
    return f"{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
