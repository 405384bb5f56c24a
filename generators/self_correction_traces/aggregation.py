"""One answer out of several samples: by the verifier, by majority, or by weighted votes.

A sample is anything with a text, an answer and a verdict, such as an attempt or a deepened response.
"""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from filters.answers.checker import Verdict
from filters.answers.writing.notation import compact, tidy


class Answered(Protocol):
    """A sample whose answer was checked."""

    @property
    def text(self) -> str: ...

    @property
    def verdict(self) -> Verdict: ...

    @property
    def extracted(self) -> str | None: ...


Sample = TypeVar("Sample", bound=Answered)


def by_verifier(samples: Sequence[Sample]) -> Sample | None:
    """The first right sample, or else the first one; whether it is right is pass@N."""
    return next((sample for sample in samples if sample.verdict.is_right), next(iter(samples), None))


def by_majority(samples: Sequence[Sample]) -> Sample | None:
    """The first sample with the most frequent answer; among equally frequent answers, the one given first.

    Answers that agree in one spelling are the same. Samples without an answer have no vote.
    """
    return by_weight(samples, [1.0] * len(samples))


def by_weight(samples: Sequence[Sample], weights: Sequence[float]) -> Sample | None:
    """Like `by_majority`, but a sample's vote counts as much as its weight."""
    groups: dict[str, list[tuple[Sample, float]]] = {}
    for sample, weight in zip(samples, weights, strict=True):
        if sample.extracted is not None:
            groups.setdefault(compact(tidy(sample.extracted)), []).append((sample, weight))
    heaviest = max(groups.values(), key=_weight, default=None)  # the first of equals
    return heaviest[0][0] if heaviest else None


def _weight(group: Sequence[tuple[Any, float]]) -> float:
    return sum(weight for _, weight in group)
