"""The figures of `benchmarks.data_value` with intervals: pass@1, majority, best-of-N, means over seeds, and gains.

A problem is one observation: its samples are dependent, so intervals count problems, not samples.
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
    """One verified solution of a problem, in steps."""

    text: str
    steps: tuple[str, ...]
    extracted: str | None
    verdict: Verdict

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Sample":
        """Parse a sample from JSON data."""
        return cls(
            text=data["text"],
            steps=tuple(data["steps"]),
            extracted=data["extracted"],
            verdict=Verdict(data["verdict"]),
        )


Groups = Sequence[Sequence[Sample]]  # the samples of each problem
_Z = NormalDist().inv_cdf(0.975)


def pass_rates(groups: Groups) -> list[float]:
    """The share of right samples per problem."""
    return [mean(sample.verdict.is_right for sample in group) for group in groups]


def solved(groups: Groups) -> dict[str, float]:
    """`pass_at_1` and `majority`: the share of right samples, and of problems whose majority answer is right."""
    return {
        "pass_at_1": mean(pass_rates(groups)),
        "majority": mean(_is_right(by_majority(group)) for group in groups),
    }


def chosen(groups: Groups, scores: Sequence[Sequence[float]]) -> dict[str, float]:
    """The share of problems solved by the sample with the highest reward, and by the answer with the highest total."""
    pairs = list(zip(groups, scores, strict=True))
    return {
        "best": mean(_is_right(group[max(range(len(group)), key=score.__getitem__)]) for group, score in pairs),
        "weighted": mean(_is_right(by_weight(group, score)) for group, score in pairs),
    }


def over_seeds(by_seed: Sequence[Mapping[str, float]], *, problems: int) -> dict[str, dict[str, float]]:
    """Mean and spread (standard deviation) over seeds of each figure, with the mean's 95 % Wilson interval."""
    summaries = {}
    for name in by_seed[0]:
        values = [figures[name] for figures in by_seed]
        low, high = score_interval(mean(values), problems)
        summaries[name] = {
            "mean": round(mean(values), 4),
            "spread": round(stdev(values), 4) if len(values) > 1 else 0.0,
            "low": round(low, 4),
            "high": round(high, 4),
        }
    return summaries


def gain(after: Sequence[Sequence[float]], before: Sequence[Sequence[float]]) -> dict[str, float]:
    """The increase of the pass rates, given by seed and problem: mean, spread over seeds, 95 % interval.

    Both sides have the same problems, so differences are taken per problem and averaged over seeds, which removes the
    problems' difficulty. The interval is the normal interval of the mean over problems.
    """
    return _over_problems(
        [[new - old for new, old in zip(*seed, strict=True)] for seed in zip(after, before, strict=True)]
    )


def ranking_accuracy(group: Sequence[Sample], scores: Sequence[float]) -> float | None:
    """The share of (right, wrong) sample pairs of a problem that the rewards rank correctly; ties count half.

    None if all samples are right or none is, since then there is nothing to choose.
    """
    pairs = list(zip(group, scores, strict=True))
    right = [score for sample, score in pairs if sample.verdict.is_right]
    wrong = [score for sample, score in pairs if not sample.verdict.is_right]
    if not right or not wrong:
        return None
    return mean((better > worse) + (better == worse) / 2 for better in right for worse in wrong)


def order(by_seed: Sequence[Sequence[float | None]]) -> dict[str, float]:
    """Summarize `ranking_accuracy` by seed and problem: mean, spread, 95 % interval, and the number of problems.

    Chance is 0.5. Problems without a value for any seed are left out; the result is empty if all are.
    """
    if not any(value is not None for values in by_seed for value in values):
        return {}
    counted = sum(any(value is not None for value in values) for values in zip(*by_seed, strict=True))
    return _over_problems(by_seed) | {"problems": counted}


def _over_problems(by_seed: Sequence[Sequence[float | None]]) -> dict[str, float]:
    """The mean over problems of each problem's mean over seeds, with its normal interval and the spread over seeds."""
    seeds, problems = _means(by_seed), _means(zip(*by_seed, strict=True))
    middle = mean(problems)
    half = (
        _Z * stdev(problems) / len(problems) ** 0.5 if len(problems) > 1 else 1.0
    )  # a single problem gives no interval
    spread = stdev(seeds) if len(seeds) > 1 else 0.0
    summary = {"mean": middle, "spread": spread, "low": middle - half, "high": middle + half}
    return {name: round(value, 4) for name, value in summary.items()}


def _means(groups: Iterable[Sequence[float | None]]) -> list[float]:
    """The mean of each group that has any value."""
    known = ([value for value in group if value is not None] for group in groups)
    return [mean(group) for group in known if group]


def table(rows: Mapping[str, Mapping[str, Mapping[str, float]]], notes: Mapping[str, str]) -> str:
    """A Markdown table of the figures of every row, with spread and interval, and the training data."""
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
