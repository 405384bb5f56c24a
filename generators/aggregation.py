"""One answer out of several samples: by the verifier, by majority, by a reward model.

Knows nothing of how samples are made: attempts and deepened responses alike have a text, an answer and a verdict.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from filters.answers import Verdict
from filters.notation import compact, tidy

Reward = Callable[[str, str], Awaitable[float]]  # of a problem's prompt and a response's text


class Answered(Protocol):
    """What a sample has to show."""

    @property
    def text(self) -> str: ...

    @property
    def verdict(self) -> Verdict: ...

    @property
    def extracted(self) -> str | None: ...


Sample = TypeVar("Sample", bound=Answered)


def by_verifier(samples: Sequence[Sample]) -> Sample | None:
    """The first right sample, else the first one: whether it is right is pass@N."""
    return next((sample for sample in samples if sample.verdict.is_right), next(iter(samples), None))


def by_majority(samples: Sequence[Sample]) -> Sample | None:
    """The first of the samples whose answer most of them give, of several such answers the one given first.

    Answers are the same when they are the same in one spelling; samples without an answer have no vote.
    """
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        if sample.extracted is not None:
            groups.setdefault(compact(tidy(sample.extracted)), []).append(sample)
    largest = max(groups.values(), key=len, default=None)  # the first of equals
    return largest[0] if largest else None


async def by_reward(prompt: str, samples: Sequence[Sample], reward: Reward) -> Sample | None:
    """The sample with the highest reward, of equals the first."""
    scored = [(await reward(prompt, sample.text), sample) for sample in samples]
    return max(scored, key=lambda pair: pair[0])[1] if scored else None
