"""Shares with their intervals: pass@1 and majority of samples, best-of-N by a reward model, means over seeds, gains.

A problem is one observation: its samples go together, so that intervals count problems, not samples. Knows no model.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, mean, stdev
from typing import Any

from filters.answers.verdicts import Verdict
from generators.search.shares import score_interval
from generators.self_correction_traces.aggregation import by_majority, by_weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One solution of a problem, verified, in steps."""

    text: str
    steps: tuple[str, ...]
    extracted: str | None
    verdict: Verdict

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Sample":
        """A sample out of JSON."""
        return cls(
            text=plain["text"],
            steps=tuple(plain["steps"]),
            extracted=plain["extracted"],
            verdict=Verdict(plain["verdict"]),
        )


Groups = Sequence[Sequence[Sample]]  # the samples of each problem
_Z = NormalDist().inv_cdf(0.975)


def pass_rates(groups: Groups) -> list[float]:
    """The share of right samples of each problem."""
    return [mean(one.verdict.is_right for one in group) for group in groups]


def solved(groups: Groups) -> dict[str, float]:
    """`pass_at_1` and `majority`: the share of samples, and of problems by their majority, that are right."""
    return {
        "pass_at_1": mean(pass_rates(groups)),
        "majority": mean(_is_right(by_majority(group)) for group in groups),
    }


def chosen(groups: Groups, worths: Sequence[Sequence[float]]) -> dict[str, float]:
    """The share of problems that come out right by the sample worth most, and by the answer worth most in all."""
    pairs = list(zip(groups, worths, strict=True))
    return {
        "best": mean(_is_right(group[max(range(len(group)), key=worth.__getitem__)]) for group, worth in pairs),
        "weighted": mean(_is_right(by_weight(group, worth)) for group, worth in pairs),
    }


def over_seeds(by_seed: Sequence[Mapping[str, float]], *, problems: int) -> dict[str, dict[str, float]]:
    """Of each figure the mean and the spread (standard deviation) over seeds, and the mean's 95 % Wilson interval."""
    told = {}
    for name in by_seed[0]:
        values = [figures[name] for figures in by_seed]
        low, high = score_interval(mean(values), problems)
        told[name] = {
            "mean": round(mean(values), 4),
            "spread": round(stdev(values), 4) if len(values) > 1 else 0.0,
            "low": round(low, 4),
            "high": round(high, 4),
        }
    return told


def gain(after: Sequence[Sequence[float]], before: Sequence[Sequence[float]]) -> dict[str, float]:
    """By how much pass rates rose, seed by seed and problem by problem: mean, spread over seeds, 95 % interval.

    The same problems stand on both sides, so their difference is taken problem by problem (over seeds its mean), which
    leaves out how hard they are; the interval is the normal one of that mean over problems.
    """
    return _over_problems(
        [[one - other for one, other in zip(*pair, strict=True)] for pair in zip(after, before, strict=True)]
    )


def told_apart(group: Sequence[Sample], worths: Sequence[float]) -> float | None:
    """The share of a problem's pairs of a right and a wrong sample in which the right one is worth more, ties half.

    None where all samples are right, or none is: a reward model has nothing to choose there.
    """
    pairs = list(zip(group, worths, strict=True))
    right = [worth for one, worth in pairs if one.verdict.is_right]
    wrong = [worth for one, worth in pairs if not one.verdict.is_right]
    if not right or not wrong:
        return None
    return mean((one > other) + (one == other) / 2 for one in right for other in wrong)


def order(by_seed: Sequence[Sequence[float | None]]) -> dict[str, float]:
    """What reward models tell apart, by seed and problem: mean, spread, 95 % interval, and the number of problems.

    0.5 is chance; problems that had something to choose for no seed are left out. Empty where all are.
    """
    if not any(one is not None for problems in by_seed for one in problems):
        return {}
    counted = sum(any(one is not None for one in problem) for problem in zip(*by_seed, strict=True))
    return _over_problems(by_seed) | {"problems": counted}


def _over_problems(by_seed: Sequence[Sequence[float | None]]) -> dict[str, float]:
    """Of each problem the mean over seeds, of those the mean with its normal interval; the spread is that of seeds."""
    seeds, problems = _means(by_seed), _means(zip(*by_seed, strict=True))
    middle = mean(problems)
    half = _Z * stdev(problems) / len(problems) ** 0.5 if len(problems) > 1 else 1.0  # of one problem nothing is known
    spread = stdev(seeds) if len(seeds) > 1 else 0.0
    told = {"mean": middle, "spread": spread, "low": middle - half, "high": middle + half}
    return {name: round(value, 4) for name, value in told.items()}


def _means(groups: Iterable[Sequence[float | None]]) -> list[float]:
    """The mean of each group that has a figure."""
    known = ([one for one in group if one is not None] for group in groups)
    return [mean(group) for group in known if group]


def table(rows: Mapping[str, Mapping[str, Mapping[str, float]]], notes: Mapping[str, str]) -> str:
    """The figures of every row as Markdown, each with spread and interval, and what was trained on."""
    heads = list(dict.fromkeys(name for figures in rows.values() for name in figures))
    lines = [
        f"| | trained on | {' | '.join(head.replace('_', ' ') for head in heads)} |",
        f"|---|---|{'---|' * len(heads)}",
    ]
    for row, figures in rows.items():
        cells = [_cell(figures[head]) if head in figures else "" for head in heads]
        lines.append(f"| {row.replace('_', ' ')} | {notes.get(row, '')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(figure: Mapping[str, float]) -> str:
    return f"{figure['mean']:.3f} ± {figure['spread']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def _is_right(sample: Sample | None) -> bool:
    return sample is not None and sample.verdict.is_right
