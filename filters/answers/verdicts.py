"""The types of a decision about an answer: verdict, rule, decision.

Import them from `filters.answers.checker`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

VERIFIER = "verifier"  # the scorer of a row that no reward model scored


class Verdict(StrEnum):
    """The result of comparing a response's final answer with the gold answer."""

    EQUAL = "equal"
    DIFFERENT = "different"
    NO_ANSWER = "no_answer"
    UNPARSED = "unparsed"
    TIMEOUT = "timeout"
    ERROR = "error"

    @property
    def is_right(self) -> bool:
        """Whether the response ends in the gold answer."""
        return self is Verdict.EQUAL

    @property
    def is_undecided(self) -> bool:
        """Whether right and wrong are both possible; such a row is set aside with the verdict as its reason."""
        return self in (Verdict.UNPARSED, Verdict.TIMEOUT, Verdict.ERROR)


Percent = Literal["undecided", "fraction", "number"]
Units = Literal["optional", "ignored", "converted"]
Thoughts = Literal["no_answer", "read"]
Lists = Literal["undecided", "ordered", "unordered"]
NoAnswer = Literal["wrong", "undecided"]
_CHOICES = {
    "percent": Percent,
    "units": Units,
    "lists": Lists,
    "unfinished_thoughts": Thoughts,
    "no_answer": NoAnswer,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRule:
    """How a source writes its answers; what the rule leaves open stays undecided and is not guessed.

    With `bare_last_number`, the last number of a response is its answer when nothing marks one. `percent` says whether
    `50%` is `0.5` (`fraction`) or `50` (`number`) when the other side has no percent sign. A unit on one side only is
    not a difference; with `units` set to `ignored`, neither are two different units, and `converted` compares the
    amounts in one unit. `lists` says whether `1, 2` equals `2, 1`. `tolerance` is the relative closeness of two numbers
    that counts as equal. A response that never ends its thoughts (`<think>` without `</think>`) holds no answer; with
    `unfinished_thoughts` set to `read`, its thoughts are read for one. A response without a recognised answer counts as
    wrong, or as `no_answer` says as undecided.
    """

    bare_last_number: bool = False
    percent: Percent = "undecided"
    units: Units = "optional"
    lists: Lists = "undecided"
    tolerance: float | None = None
    unfinished_thoughts: Thoughts = "no_answer"
    no_answer: NoAnswer = "wrong"

    def __post_init__(self) -> None:
        for field, choices in _CHOICES.items():
            if getattr(self, field) not in get_args(choices):
                raise ValueError(f"{field} must be one of {', '.join(get_args(choices))}, got {getattr(self, field)!r}")
        if self.tolerance is not None and not 0 < self.tolerance < 1:
            raise ValueError(
                f"tolerance must be above 0 and below 1, or None for exact answers, got {self.tolerance!r}"
            )

    def is_right(self, verdict: Verdict) -> bool | None:
        """Whether a response with this verdict counts as right where shares are taken; None if it is undecided."""
        is_open = verdict.is_undecided or (verdict is Verdict.NO_ANSWER and self.no_answer == "undecided")
        return None if is_open else verdict.is_right


DEFAULT_RULE = AnswerRule()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A verdict with the extracted answer, and how both were reached.

    `tier` is what decided (`string`, `number`, `symbolic`, ...). `found_by` is the rule that found the answer (`box`,
    `hashes`, `phrase`, ...); None if the answer was given.
    """

    verdict: Verdict
    extracted: str | None = None
    tier: str | None = None
    found_by: str | None = None
