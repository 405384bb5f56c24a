"""The words of a decision about an answer: verdict, rule, decision.

Knows nothing of how a decision is reached. Imported through `filters.answers`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What comparing a response's final answer with the gold answer came to."""

    EQUAL = "equal"
    DIFFERENT = "different"
    NO_ANSWER = "no_answer"
    UNPARSED = "unparsed"
    TIMEOUT = "timeout"
    ERROR = "error"

    @property
    def is_right(self) -> bool:
        """The response ends in the gold answer."""
        return self is Verdict.EQUAL

    @property
    def is_undecided(self) -> bool:
        """Nothing is known: the row is set aside with this reason, and counts as neither right nor wrong."""
        return self in (Verdict.UNPARSED, Verdict.TIMEOUT, Verdict.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRule:
    """How a source writes its answers.

    `bare_last_number` lets the last number of a response stand for its answer when nothing marks one.
    """

    bare_last_number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict with the extracted answer and the tier that decided (`string`, `number`, `symbolic`, ...)."""

    verdict: Verdict
    extracted: str | None = None
    tier: str | None = None
