"""How well rewards of steps choose among the samples of a problem, and find the first wrong step."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from statistics import fmean

from filters.answers.verdicts import Verdict
from generators.records import Attempt
from generators.self_correction_traces.aggregation import by_majority, by_weight

Rewards = Sequence[Sequence[Sequence[float]]]  # by problem, sample and step
AGGREGATES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "least": min,
    "last": lambda of: of[-1],
    "product": prod,
}
GROUP = 8  # samples that are chosen among
THRESHOLDS = tuple(number / 20 for number in range(1, 20))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How step rewards become the reward of a solution, and below which reward a step counts as wrong."""

    aggregate: str
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """The samples of one problem, with the true first error of each; None if there is none."""

    samples: tuple[Attempt, ...]
    first_errors: tuple[int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Of the samples of a problem, how many are wrong and right, and on how many of either the rewards are right."""

    wrong: int
    wrong_met: int
    right: int
    right_met: int

    def __add__(self, other: "Located") -> "Located":
        return self._with(other, 1)

    def __sub__(self, other: "Located") -> "Located":
        return self._with(other, -1)

    def _with(self, other: "Located", sign: int) -> "Located":
        return Located(
            wrong=self.wrong + sign * other.wrong,
            wrong_met=self.wrong_met + sign * other.wrong_met,
            right=self.right + sign * other.right,
            right_met=self.right_met + sign * other.right_met,
        )

    @property
    def f1(self) -> float:
        """The harmonic mean of both accuracies; 0 where one of them is."""
        if not self.wrong_met or not self.right_met:
            return 0.0
        wrong, right = self.wrong_met / self.wrong, self.right_met / self.right
        return 2 * wrong * right / (wrong + right)


def figures(sampled: Sequence[Sampled], rewards: Rewards, choice: Choice) -> dict[str, list[float | None]]:
    """For each problem: `order`, `best_of_8` and `weighted`; None where there is nothing to choose."""
    by_name = {"order": _orders(sampled, rewards, choice.aggregate), "best_of_8": [], "weighted": []}
    for problem, of_problem in zip(sampled, rewards, strict=True):
        scores = [_score(steps, choice.aggregate) for steps in of_problem]
        is_right = [sample.verdict.is_right for sample in problem.samples]
        by_name["best_of_8"].append(fmean(is_right[max(group, key=scores.__getitem__)] for group in groups(scores)))
        by_name["weighted"].append(fmean(_weighted(problem.samples, scores, group) for group in groups(scores)))
    return by_name


def majorities(sampled: Sequence[Sampled]) -> list[float]:
    """For each problem, the share of groups of eight whose most frequent answer is right."""
    return [
        fmean(_is_right(by_majority([problem.samples[index] for index in group])) for group in groups(problem.samples))
        for problem in sampled
    ]


def order(is_right: Sequence[bool], scores: Sequence[float]) -> float | None:
    """The share of pairs of a right and a wrong sample in the right order; ties count half, None without a pair."""
    right = [score for score, sample in zip(scores, is_right, strict=True) if sample]
    wrong = [score for score, sample in zip(scores, is_right, strict=True) if not sample]
    if not right or not wrong:
        return None
    return fmean((better > worse) + (better == worse) / 2 for better in right for worse in wrong)


def located(sampled: Sequence[Sampled], rewards: Rewards, threshold: float) -> list[Located]:
    """For each problem, how many samples have their first step below `threshold` where the truth has its first error.

    A sample without an error must have no such step.
    """
    counts = []
    for problem, of_problem in zip(sampled, rewards, strict=True):
        tally = {(is_wrong, is_met): 0 for is_wrong in (True, False) for is_met in (True, False)}
        for truth, steps in zip(problem.first_errors, of_problem, strict=True):
            found = next((index for index, reward in enumerate(steps) if reward < threshold), None)
            tally[truth is not None, found == truth] += 1
        counts.append(
            Located(
                wrong=tally[True, True] + tally[True, False],
                wrong_met=tally[True, True],
                right=tally[False, True] + tally[False, False],
                right_met=tally[False, True],
            )
        )
    return counts


def f1(counts: Iterable[Located]) -> float:
    """The harmonic mean of the accuracies on wrong and on right samples (ProcessBench, arXiv 2412.06559, 3.3)."""
    total = Located(wrong=0, wrong_met=0, right=0, right_met=0)
    for each in counts:
        total += each
    return total.f1


def f1_by_problem(counts: Sequence[Located]) -> list[float]:
    """The jackknife's pseudo-values of the F1: their mean is its estimate, and they vary as problems make it vary."""
    total = Located(wrong=0, wrong_met=0, right=0, right_met=0)
    for each in counts:
        total += each
    n = len(counts)
    return [n * total.f1 - (n - 1) * (total - each).f1 for each in counts]


def best_choice(sampled: Sequence[Sampled], rewards: Rewards) -> Choice:
    """The aggregate with the best order, and the threshold with the best F1, to be chosen on a validation set."""

    def mean_order(aggregate: str) -> float:
        of_problems = _orders(sampled, rewards, aggregate)
        return fmean([value for value in of_problems if value is not None] or [0.5])

    threshold = max(THRESHOLDS, key=lambda threshold: f1(located(sampled, rewards, threshold)))
    return Choice(aggregate=max(AGGREGATES, key=mean_order), threshold=threshold)


def groups(samples: Sequence[object]) -> list[range]:
    """The indexes of disjoint groups of eight samples."""
    return [range(start, start + GROUP) for start in range(0, len(samples) - GROUP + 1, GROUP)]


def _orders(sampled: Sequence[Sampled], rewards: Rewards, aggregate: str) -> list[float | None]:
    return [
        order(
            [sample.verdict.is_right for sample in problem.samples],
            [_score(steps, aggregate) for steps in of_problem],
        )
        for problem, of_problem in zip(sampled, rewards, strict=True)
    ]


def _score(steps: Sequence[float], aggregate: str) -> float:
    return AGGREGATES[aggregate](steps) if steps else 0.0


def _weighted(samples: Sequence[Attempt], scores: Sequence[float], group: range) -> bool:
    return _is_right(by_weight([samples[index] for index in group], [scores[index] for index in group]))


def _is_right(sample: Attempt | None) -> bool:
    return sample is not None and sample.verdict is Verdict.EQUAL
