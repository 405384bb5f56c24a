"""Solutions with a planted error: a right solution, one step of it spoilt, and what the policy makes of that.

The index of the first error is known because it was put there, so labels can be held against it without a human. It is
as sure as the steps before it: a right solution that went wrong earlier and recovered in words alone is not noticed.
Knows nothing of how labels are found, nor of servers, files or Dagster.
"""

import random
from dataclasses import dataclass, replace

from filters.answers.checker import AnswerChecker, AnswerRule, Decision, Verdict
from generators.engine.protocol import Limits, Sampling
from generators.engine.tokenizer import Tokenizer
from generators.process_labels.audit.arithmetic import last_equation
from generators.process_labels.audit.corruption import Corruption, Kind, corrupt
from generators.records import Attempt, Problem, Rollout
from generators.sampling.sampler import Sampler
from generators.sampling.steps import step_ends, step_texts

VERSION = "1"  # bump when a change here would change the rows
# Attempts count from 0 and rollouts of a step too: neither comes near. So a planted solution is never taken for an
# attempt, and its ending, which was verified to be fit, is none of the rollouts that judge the planted step.
PLANTED_INDEX = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedConfig:
    """How planted solutions are continued, and which of the possible errors are drawn.

    `sampling` and `max_tokens` (of a whole solution) are those of the attempts; `seed` draws other steps and errors.
    """

    sampling: Sampling
    max_tokens: int
    max_steps: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens}")
        if self.max_steps < 2:
            raise ValueError(f"max_steps must be at least 2, got {self.max_steps}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedSolution:
    """A solution whose step `first_error` (0-based) is wrong by construction, and no step before it.

    `attempt` is one like any other, save that its index is `PLANTED_INDEX` above that of the right attempt.
    """

    problem: Problem
    attempt: Attempt
    first_error: int
    kind: Kind
    original_step: str
    planted_step: str


@dataclass(frozen=True, slots=True)
class NotPlanted:
    """An attempt in which no error could be planted, and why."""

    problem_id: str
    attempt_index: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Draft:
    """A right attempt up to its spoilt step: `head` are the ids, `ends` their steps' ends, the spoilt one the last."""

    head: tuple[int, ...]
    ends: tuple[int, ...]
    original: str
    corruption: Corruption

    @property
    def place(self) -> int:
        return len(self.ends) - 1

    def stands_in(self, token_ids: tuple[int, ...], tokenizer: Tokenizer) -> bool:
        """Whether `token_ids` begin with the same steps, the spoilt one letter by letter."""
        ends = step_ends(token_ids, tokenizer)[: len(self.ends)]
        return ends == self.ends and step_texts(token_ids, ends, tokenizer)[self.place] == self.corruption.text


async def plant(
    problem: Problem,
    attempt: Attempt,
    *,
    sampler: Sampler,
    checker: AnswerChecker,
    rule: AnswerRule,
    config: PlantedConfig,
) -> PlantedSolution | NotPlanted:
    """A copy of the right `attempt` with one step spoilt and continued by the policy, or the reason why there is none.

    Which step and which error follows from `config.seed`, the problem and the attempt's index alone. The tokens before
    the spoilt step stay those of the attempt. An ending is not asked to be wrong: a policy may recover.
    """
    draft = _draft(attempt, sampler.tokenizer, config) if attempt.verdict.is_right else None
    reason = _hindrance(attempt, draft, config)
    if draft is None or reason:
        return NotPlanted(attempt.problem_id, attempt.attempt_index, reason)
    (rollout,) = await sampler.draw(
        attempt.prompt_token_ids + draft.head,
        n=1,
        start=PLANTED_INDEX + attempt.attempt_index,
        sampling=config.sampling,
        limits=Limits(max_tokens=config.max_tokens - len(draft.head)),
    )
    text = sampler.tokenizer.decode(draft.head + rollout.token_ids)
    decision = await checker.check(text, problem.answer, rule=rule)
    planted = _planted_attempt(attempt, draft, rollout, text, decision)
    reason = _unfit(planted, draft, sampler.tokenizer, config)
    if reason:
        return NotPlanted(attempt.problem_id, attempt.attempt_index, reason)
    return PlantedSolution(
        problem=problem,
        attempt=planted,
        first_error=draft.place,
        kind=draft.corruption.kind,
        original_step=draft.original,
        planted_step=draft.corruption.text,
    )


def _hindrance(attempt: Attempt, draft: _Draft | None, config: PlantedConfig) -> str:
    """Why nothing is to be drawn, or nothing."""
    if not attempt.verdict.is_right:
        return "not_right"
    if draft is None:
        return "nothing_to_spoil"
    return "no_room" if len(draft.head) >= config.max_tokens else ""


def _planted_attempt(attempt: Attempt, draft: _Draft, rollout: Rollout, text: str, decision: Decision) -> Attempt:
    return replace(
        attempt,
        attempt_index=rollout.index,
        token_ids=draft.head + rollout.token_ids,
        text=text,
        finish_reason=rollout.finish_reason,
        verdict=decision.verdict,
        extracted=decision.extracted,
    )


def _draft(attempt: Attempt, tokenizer: Tokenizer, config: PlantedConfig) -> _Draft | None:
    """The first spoilt step that keeps its place, of the steps that may be spoilt in a drawn order."""
    ends = step_ends(attempt.token_ids, tokenizer)
    steps = step_texts(attempt.token_ids, ends, tokenizer)
    draw = random.Random(f"{config.seed}/{attempt.problem_id}/{attempt.attempt_index}")
    places = list(range(_n_trusted(steps)))
    for place in draw.sample(places, len(places)):
        corruption = corrupt(steps[place], draw)
        if corruption is None:
            continue
        start = ends[place - 1] if place else 0
        head = attempt.token_ids[:start] + tokenizer.encode(corruption.text)
        draft = _Draft(head, (*ends[:place], len(head)), steps[place], corruption)
        if draft.stands_in(head, tokenizer):
            return draft
    return None


def _n_trusted(steps: tuple[str, ...]) -> int:
    """How many of the first steps may be spoilt: all but the last, up to the first one whose own sum is false."""
    equations = map(last_equation, steps[:-1])
    false = (place for place, equation in enumerate(equations) if equation and not equation.is_true)
    return next(false, max(0, len(steps) - 1))


def _unfit(planted: Attempt, draft: _Draft, tokenizer: Tokenizer, config: PlantedConfig) -> str:
    """Why a continued solution is not used, or nothing: what an attempt is not labelled for, or its step is gone."""
    if planted.finish_reason != "eos":
        return "truncated"
    if planted.verdict.is_undecided:
        return f"verdict_{planted.verdict}"
    if planted.verdict is Verdict.NO_ANSWER:
        return "no_answer"
    if not draft.stands_in(planted.token_ids, tokenizer):
        return "step_lost"
    return "too_many_steps" if len(step_ends(planted.token_ids, tokenizer)) > config.max_steps else ""
