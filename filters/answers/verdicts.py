"""The words of a decision about an answer: verdict, rule, decision.

Knows nothing of how a decision is reached. Imported through `filters.answers.checker`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

VERIFIER = "verifier"  # who scored a row, where it was no reward model


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


Percent = Literal["undecided", "fraction", "number"]
Units = Literal["optional", "ignored"]
Lists = Literal["undecided", "ordered", "unordered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRule:
    """How a source writes its answers; what it leaves open stays undecided rather than guessed.

    `bare_last_number` lets the last number of a response stand for its answer when nothing marks one. `percent` says
    whether `50%` is `0.5` (`fraction`) or `50` (`number`) where the other side has no sign. A unit on one side only is
    no difference; with `units` `ignored`, two unlike units are none either. `lists` says whether `1, 2` is `2, 1`.
    """

    bare_last_number: bool = False
    percent: Percent = "undecided"
    units: Units = "optional"
    lists: Lists = "undecided"

    def __post_init__(self) -> None:
        for field, choices in (("percent", Percent), ("units", Units), ("lists", Lists)):
            if getattr(self, field) not in get_args(choices):
                raise ValueError(f"{field} must be one of {', '.join(get_args(choices))}, got {getattr(self, field)!r}")


DEFAULT_RULE = AnswerRule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict with the extracted answer and the tier that decided (`string`, `number`, `symbolic`, ...)."""

    verdict: Verdict
    extracted: str | None = None
    tier: str | None = None
