"""The records of responses with triggers in them: segments, boundaries, corrections."""

from dataclasses import dataclass
from typing import Literal

from filters.answers.checker import Verdict
from generators.records import Attempt, FinishReason, Problem
from generators.tokens import Ids

SegmentKind = Literal["written", "trigger"]
CorrectionOrigin = Literal["sampled", "composed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of a response: `written` by the policy, or a `trigger` that the recipe appended."""

    kind: SegmentKind
    token_ids: Ids
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """The end of a written segment, and the verdict on the response up to there.

    `end` counts the response's tokens, triggers included. `generated` counts the tokens that the policy wrote, with the
    end-of-text tokens that triggers replaced. `budget` is what the response was allowed here. `end_of_text` is the id
    by which the policy ended the response, None if the budget cut it off.
    """

    end: int
    generated: int
    budget: int
    end_of_text: int | None
    verdict: Verdict
    extracted: str | None
    found_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepenedResponse:
    """A response in which written segments and triggers alternate, with a boundary after each written segment."""

    problem_id: str
    sample_index: int
    prompt_token_ids: Ids
    segments: tuple[Segment, ...]
    boundaries: tuple[Boundary, ...]
    finish_reason: FinishReason

    @property
    def token_ids(self) -> tuple[int, ...]:
        """The whole response, in the policy's token ids."""
        return tuple(token_id for segment in self.segments for token_id in segment.token_ids)

    @property
    def text(self) -> str:
        """The whole response as text."""
        return "".join(segment.text for segment in self.segments)

    @property
    def n_triggers(self) -> int:
        """The number of triggers in it."""
        return sum(segment.kind == "trigger" for segment in self.segments)

    @property
    def verdict(self) -> Verdict:
        """The verdict on the final answer."""
        return self.boundaries[-1].verdict

    @property
    def extracted(self) -> str | None:
        """The final answer, if it has one."""
        return self.boundaries[-1].extracted


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedSpan:
    """A masked part of a response: characters of its text and tokens of its ids, ends exclusive."""

    start: int
    end: int
    token_start: int
    token_end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A response that goes wrong, notices it after a trigger, and ends right.

    `sampled`: the policy read the trigger and mended its own answer. `composed`: the trigger follows a step known to be
    wrong, and what follows was drawn from the last good prefix. The response begins as attempt `attempt_index` does.
    """

    problem: Problem
    origin: CorrectionOrigin
    attempt_index: int
    prompt_token_ids: Ids
    segments: tuple[Segment, ...]
    boundaries: tuple[Boundary, ...]
    masked: tuple[MaskedSpan, ...]

    @property
    def token_ids(self) -> tuple[int, ...]:
        """The whole response, in the policy's token ids."""
        return tuple(token_id for segment in self.segments for token_id in segment.token_ids)

    @property
    def text(self) -> str:
        """The whole response as text."""
        return "".join(segment.text for segment in self.segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlawedSolution:
    """A wrong attempt in steps, and the index of its first wrong step."""

    attempt: Attempt
    step_ends: tuple[int, ...]
    first_error: int
