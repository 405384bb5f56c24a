"""The records passed between stages: a problem, a rollout, an attempt, a labelled solution.

Every record is immutable; a table's columns are its fields.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from filters.answers.checker import Verdict
from generators.tokens import Ids, TokenIds

NO_ERROR = -1  # the index of the first error if there is none
FinishReason = Literal["eos", "stop", "length"]
Provenance = dict[str, str | int]  # policy, round, slice; for attempts also sampling and max_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A question and its answer (blank if unknown); `problem_id` is a hash of both.

    `also_accepted` are further answers that count as right. They enter the hash if there are any.
    """

    problem_id: str
    source: str
    prompt: str
    answer: str
    also_accepted: tuple[str, ...] = ()
    level: str | None = None

    @property
    def golds(self) -> tuple[str, ...]:
        """Every accepted answer, `answer` first."""
        return (self.answer, *self.also_accepted)

    @property
    def has_answer(self) -> bool:
        """Whether there is an answer to verify by."""
        return bool(self.answer.strip())


@dataclass(frozen=True, slots=True, init=False)
class Rollout:
    """One continuation of a prefix, as the policy drew it.

    `key` identifies policy, prefix and sampling params; `index` numbers the draws under that key. `token_ids` ends with
    the end-of-text token if `finish_reason` is `eos`; `text` never contains that token. It is given as it is, or as the
    tokenizer's `decode`.
    """

    key: str
    index: int
    token_ids: TokenIds
    finish_reason: FinishReason
    _text: str | Callable[[TokenIds], str] = field(compare=False, repr=False)

    def __init__(
        self,
        *,
        key: str,
        index: int,
        token_ids: Iterable[int],
        text: str | Callable[[TokenIds], str],
        finish_reason: FinishReason,
    ) -> None:
        for name, value in (
            ("key", key),
            ("index", index),
            ("token_ids", TokenIds(token_ids)),
            ("finish_reason", finish_reason),
            ("_text", text),
        ):
            object.__setattr__(self, name, value)

    @property
    def text(self) -> str:
        """The text of the ids, decoded when it is first read."""
        if isinstance(self._text, str):
            return self._text
        text = self._text(self.token_ids)
        object.__setattr__(self, "_text", text)
        return text

    @property
    def unended_ids(self) -> TokenIds:
        """The ids without the end-of-text token."""
        return self.token_ids[:-1] if self.finish_reason == "eos" else self.token_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One whole solution of a problem, verified; `found_by` names the rule that found its final answer."""

    problem_id: str
    attempt_index: int
    prompt_token_ids: Ids
    token_ids: Ids
    text: str
    finish_reason: FinishReason
    verdict: Verdict
    extracted: str | None
    found_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCounts:
    """How the rollouts from the end of one step ended.

    `n_rollouts` counts those with a decided verdict, `n_undecided` those whose answer could not be decided.
    `n_no_answer` of them end without a recognised answer: they are counted as not right, or as undecided where the
    source's answer rule says so.
    """

    n_correct: int
    n_rollouts: int
    n_undecided: int
    n_no_answer: int = 0


@dataclass(frozen=True, slots=True)
class StepValues:
    """The estimated value of each step (None without a rollout), with the bounds of its 95 % interval."""

    mean: tuple[float | None, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledSolution:
    """An attempt split into steps, with the outcomes of the rollouts from the end of each step, and the step values.

    `steps[i]` is the text of `attempt.token_ids[step_ends[i - 1]:step_ends[i]]` (from 0 for the first step).
    `further` says how many of a step's rollouts the search did not ask for. `attempt_counts` counts all attempts at the
    problem. `sound` is the probability that nothing up to a step's end is
    wrong, if the strategy estimates it. `false_equations` has what each step states that is arithmetically false.
    """

    problem: Problem
    attempt: Attempt
    steps: tuple[str, ...]
    false_equations: tuple[str | None, ...]
    step_ends: tuple[int, ...]
    node_ids: tuple[str, ...]
    counts: tuple[StepCounts, ...]
    further: tuple[int, ...]
    attempt_counts: StepCounts
    values: StepValues
    sound: tuple[float, ...] | None
    stop_reasons: tuple[str, ...]
    strategy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The evidence for a step: its rollouts, or the solution's own outcome if the step ends it."""

    counts: StepCounts
    own_outcome: bool | None = None

    @property
    def value(self) -> float | None:
        """The share of right rollouts, or the outcome itself; None if nothing is decided."""
        if self.own_outcome is not None:
            return float(self.own_outcome)
        return self.counts.n_correct / self.counts.n_rollouts if self.counts.n_rollouts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """The chosen step's value minus the rejected step's, with the bounds of its 95 % interval."""

    chosen: Evidence
    rejected: Evidence
    value: float
    low: float
    high: float
