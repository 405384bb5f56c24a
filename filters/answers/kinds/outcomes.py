"""The result of a tier, and the comparison that a tier calls for the parts of an answer."""

from collections.abc import Callable
from dataclasses import dataclass

from filters.answers.verdicts import AnswerRule, Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """A tier's result: a verdict, or None with the pairs that must all be equal for the answers to be equal."""

    verdict: Verdict | None
    tier: str
    pending: tuple[tuple[str, str], ...] = ()


Compare = Callable[[str, str, AnswerRule], Outcome]
