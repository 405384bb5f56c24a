"""The records of long chains of thought: samples, traces, pairs, and ratings of queries."""

from dataclasses import dataclass
from typing import Literal

from filters.answers.checker import Verdict
from generators.long_cot_traces.behaviours import Behaviour
from generators.records import FinishReason, Problem
from generators.tokens import Ids

ClosedBy = Literal["policy", "recipe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LongCotSample:
    """An answer of the policy in thoughts and solution, or the reason why it is not well-formed.

    `text` has the opening tag, prefilled or not. `thoughts_closed_by` says who wrote the closing tag, None if there
    is none; a tag of the recipe is `token_ids[closing_token_start:closing_token_end]`. `score` rates the external
    solution alone: 1 or 0 where `scored_by` is `verifier`, else the score of the reward model of that name. It is None
    where the text is malformed or its answer undecided.
    """

    problem_id: str
    sample_index: int
    prompt_token_ids: Ids
    token_ids: Ids
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
    found_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LongCotTrace:
    """The best sample of a problem, as a chat to train on, with the behaviours in its thoughts."""

    problem: Problem
    sample: LongCotSample
    messages: tuple[dict[str, str], ...]
    topic: str | None
    difficulty: str | None
    behaviours: tuple[Behaviour, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LongCotPair:
    """The samples of highest and lowest reward of a problem."""

    problem: Problem
    messages: tuple[dict[str, str], ...]
    chosen: LongCotSample
    rejected: LongCotSample
    chosen_reward: float
    rejected_reward: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryRating:
    """A judge's rating of a query: the criteria that it meets and its topic, or the `fault` that left them unknown."""

    problem_id: str
    criteria: tuple[bool, ...] | None
    topic: str | None
    fault: str | None
