"""The records of responses with triggers in them: segments, boundaries, corrections.

Knows nothing of engines, files or Dagster. Every record is immutable.
"""

from dataclasses import dataclass
from typing import Literal

from filters.answers.checker import Verdict
from generators.records import Attempt, FinishReason, Problem

SegmentKind = Literal["written", "trigger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of a response: `written` by the policy, or a `trigger` that was put behind it."""

    kind: SegmentKind
    token_ids: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """The end of a written segment, and what the response came to up to there.

    `end` counts the response's tokens, triggers included; `generated` those that the policy wrote, the end-of-text
    tokens whose place a trigger took included. `budget` is what the response was allowed here, `end_of_text` the id
    with which the policy ended it itself, None where it was cut off.
    """

    end: int
    generated: int
    budget: int
    end_of_text: int | None
    verdict: Verdict
    extracted: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepenedResponse:
    """A response with triggers in it: written segments and triggers in turn, one boundary behind each written one."""

    problem_id: str
    sample_index: int
    prompt_token_ids: tuple[int, ...]
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
        """How many triggers stand in it."""
        return sum(segment.kind == "trigger" for segment in self.segments)

    @property
    def verdict(self) -> Verdict:
        """What the final answer came to."""
        return self.boundaries[-1].verdict

    @property
    def extracted(self) -> str | None:
        """The final answer, where there is one."""
        return self.boundaries[-1].extracted


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedSpan:
    """A part of a response that is not to be learnt: characters of its text and tokens of its ids, ends exclusive."""

    start: int
    end: int
    token_start: int
    token_end: int


CorrectionOrigin = Literal["sampled", "composed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A response that goes wrong, notices it behind a trigger, and ends right.

    `sampled`: the policy was given the trigger and mended its own answer. `composed`: the trigger stands behind a step
    known to be wrong, and what follows was drawn from the last good prefix. The response begins as attempt
    `attempt_index` does.
    """

    problem: Problem
    origin: CorrectionOrigin
    attempt_index: int
    prompt_token_ids: tuple[int, ...]
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
