"""The records that travel between stages: a problem, a rollout, an attempt, a labelled solution.

Knows nothing of engines, files or Dagster. Every record is immutable; a table's columns are its fields.
"""

from dataclasses import dataclass
from typing import Literal

from filters.answers import Verdict
from filters.behaviours import Behaviour

NO_ERROR = -1  # stands where the index of a first error would, when there is none
FinishReason = Literal["eos", "stop", "length"]
ClosedBy = Literal["policy", "recipe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A question and its answer, blank where none is known; `problem_id` is a hash of both."""

    problem_id: str
    source: str
    prompt: str
    answer: str
    level: str | None = None

    @property
    def has_answer(self) -> bool:
        """Whether there is an answer to verify by."""
        return bool(self.answer.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One continuation of a prefix, as the policy drew it.

    `key` names policy, prefix and sampling; `index` counts the draws under that key. `token_ids` end with the
    end-of-text token when `finish_reason` is `eos`; `text` never shows that token.
    """

    key: str
    index: int
    token_ids: tuple[int, ...]
    text: str
    finish_reason: FinishReason

    @property
    def unended_ids(self) -> tuple[int, ...]:
        """The ids without the end-of-text token."""
        return self.token_ids[:-1] if self.finish_reason == "eos" else self.token_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One whole solution of a problem, verified."""

    problem_id: str
    attempt_index: int
    prompt_token_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    text: str
    finish_reason: FinishReason
    verdict: Verdict
    extracted: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCounts:
    """What the rollouts from the end of one step came to.

    `n_rollouts` counts those with a decided verdict; `n_undecided` those whose answer could not be decided.
    """

    n_correct: int
    n_rollouts: int
    n_undecided: int


@dataclass(frozen=True, slots=True)
class StepValues:
    """For each step an estimate of its value (None without a rollout), and the ends of a 95 % interval."""

    mean: tuple[float | None, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledSolution:
    """An attempt in steps, with what the rollouts from the end of each step came to, and what follows from it.

    `steps[i]` is the text of `attempt.token_ids[step_ends[i - 1]:step_ends[i]]` (from 0 for the first step).
    `attempt_counts` are those of all attempts at the problem. `sound` is the probability that nothing up to a step's
    end is wrong, where the strategy gives one.
    """

    problem: Problem
    attempt: Attempt
    steps: tuple[str, ...]
    step_ends: tuple[int, ...]
    node_ids: tuple[str, ...]
    counts: tuple[StepCounts, ...]
    attempt_counts: StepCounts
    values: StepValues
    sound: tuple[float, ...] | None
    stop_reasons: tuple[str, ...]
    strategy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LongCotSample:
    """One answer of the policy in thoughts and solution, or the reason why it is not well-formed.

    `text` has the opening tag, prefilled or not. `thoughts_closed_by` says who wrote the closing tag, None where there
    is none; a tag of the recipe is `token_ids[closing_token_start:closing_token_end]`. `score` judges the external
    solution alone: 1 or 0 where `scored_by` is `verifier`, else what the reward model of that name says; None of a
    malformed text and of an undecided verdict.
    """

    problem_id: str
    sample_index: int
    prompt_token_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    text: str
    finish_reason: FinishReason
    thoughts_closed_by: ClosedBy | None
    closing_token_start: int | None
    closing_token_end: int | None
    malformed: str | None
    internal_thoughts: str | None
    external_solution: str | None
    scored_by: str
    score: float | None
    verdict: Verdict | None
    extracted: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LongCotTrace:
    """The best sample of a problem, as a chat to train on, with what its thoughts do."""

    problem: Problem
    sample: LongCotSample
    messages: tuple[dict[str, str], ...]
    topic: str | None
    difficulty: str | None
    behaviours: tuple[Behaviour, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LongCotPair:
    """The samples of highest and lowest reward at one problem; a reward is the score and what the format is worth."""

    problem: Problem
    messages: tuple[dict[str, str], ...]
    chosen: LongCotSample
    rejected: LongCotSample
    chosen_reward: float
    rejected_reward: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRating:
    """What a judge said of a query: the criteria it meets and its topic, or the `fault` why one of them is unknown."""

    problem_id: str
    criteria: tuple[bool, ...] | None
    topic: str | None
    fault: str | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedError:
    """A finished wrong solution of a problem, and the index of its first wrong step.

    `pass_rate` is the share of right ones among all decided attempts at the problem.
    """

    problem_id: str
    attempt_index: int
    prompt_token_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    step_index: int
    pass_rate: float

    def __post_init__(self) -> None:
        if self.step_index < 0:
            raise ValueError(f"step_index must be at least 0, got {self.step_index}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of a step: its rollouts, or of one that ends a solution whether that solution is right."""

    counts: StepCounts
    own_outcome: bool | None = None

    @property
    def value(self) -> float | None:
        """The share of right rollouts, or the outcome itself; None where nothing is decided."""
        if self.own_outcome is not None:
            return float(self.own_outcome)
        return self.counts.n_correct / self.counts.n_rollouts if self.counts.n_rollouts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """How much more the chosen step is worth than the rejected one, with the ends of the 95 % interval."""

    chosen: Evidence
    rejected: Evidence
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSide:
    """One side of a pair: a step in text and tokens, and the whole text from there to the end of its solution."""

    text: str
    full_text: str
    token_ids: tuple[int, ...]
    is_final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPair:
    """A right next step and a wrong one behind the same prefix, both valued by rollouts.

    `chosen_index` is the rollout from the prefix whose first step was chosen. `prefix_token_ids` are the prompt's and
    those of the steps before; `initial_reason_steps` is the text of these steps, `templated_prompt` that of all.
    `is_stable` says whether the texts give the token ids back.
    """

    problem: Problem
    error: LocatedError
    chosen_index: int
    prefix_token_ids: tuple[int, ...]
    templated_prompt: str
    initial_reason_steps: str
    chosen: StepSide
    rejected: StepSide
    margin: Margin
    is_stable: bool
