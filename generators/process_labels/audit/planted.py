"""Solutions with a planted error: one step of a right solution is spoilt, and the policy continues it.

The first error is known because it was planted, so labels can be compared with it without a human. A right solution
that went wrong before the planted error, and recovered only in words, goes unnoticed.
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
from generators.tokens import Ids

VERSION = "1"  # bump when a change here would change the rows
# Far above the indexes of attempts and of rollouts. So no planted solution is mistaken for an attempt, and its ending,
# which was selected, is none of the rollouts that value the planted step.
PLANTED_INDEX = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedConfig:
    """How planted solutions are continued, and which of the possible errors are drawn.

    `sampling` and `max_tokens` (of a whole solution) are those of the attempts, `max_steps` is that of labelled
    solutions. Another `seed` draws other steps and errors.
    """

    sampling: Sampling
    max_tokens: int
    max_steps: int
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedSolution:
    """A solution whose step `first_error` (0-based) is wrong by construction, and no step before it.

    The index of `attempt` is that of the right attempt plus `PLANTED_INDEX`.
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
    """A right attempt up to its spoilt step: the token ids, the ends of their steps, the step before and after."""

    head: Ids
    ends: tuple[int, ...]
    original: str
    corruption: Corruption

    @property
    def step_index(self) -> int:
        return len(self.ends) - 1

    def begins(self, token_ids: Ids, tokenizer: Tokenizer) -> bool:
        """Whether `token_ids` begin with the same steps, the spoilt one letter by letter."""
        ends = step_ends(token_ids, tokenizer)[: len(self.ends)]
        return ends == self.ends and step_texts(token_ids, ends, tokenizer)[self.step_index] == self.corruption.text


async def plant(
    problem: Problem,
    attempt: Attempt,
    *,
    sampler: Sampler,
    checker: AnswerChecker,
    rule: AnswerRule,
    config: PlantedConfig,
) -> PlantedSolution | NotPlanted:
    """Copy the right `attempt`, spoil one step and let the policy continue; or say why that fails.

    Step and error follow from `config.seed`, the problem and the attempt's index alone. The tokens before the spoilt
    step are those of the attempt. The ending need not be wrong: a policy may recover.
    """
    draft = _draft(attempt, sampler.tokenizer, config) if attempt.verdict.is_right else None
    reason = _obstacle(attempt, draft, config)
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
    decision = await checker.check(text, problem.golds, rule=rule)
    planted = _planted_attempt(attempt, draft, rollout, text, decision)
    reason = _unfit(planted, draft, sampler.tokenizer, config)
    if reason:
        return NotPlanted(attempt.problem_id, attempt.attempt_index, reason)
    return PlantedSolution(
        problem=problem,
        attempt=planted,
        first_error=draft.step_index,
        kind=draft.corruption.kind,
        original_step=draft.original,
        planted_step=draft.corruption.text,
    )


def _obstacle(attempt: Attempt, draft: _Draft | None, config: PlantedConfig) -> str:
    """Why nothing can be drawn; empty if it can."""
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
        found_by=decision.found_by,
    )


def _draft(attempt: Attempt, tokenizer: Tokenizer, config: PlantedConfig) -> _Draft | None:
    """Spoil one of the trusted steps: in a random order, the first whose spoilt text is still one step."""
    ends = step_ends(attempt.token_ids, tokenizer)
    steps = step_texts(attempt.token_ids, ends, tokenizer)
    draw = random.Random(f"{config.seed}/{attempt.problem_id}/{attempt.attempt_index}")
    indexes = list(range(_n_trusted(steps)))
    for index in draw.sample(indexes, len(indexes)):
        corruption = corrupt(steps[index], draw)
        if corruption is None:
            continue
        start = ends[index - 1] if index else 0
        head = attempt.token_ids[:start] + tokenizer.encode(corruption.text)
        draft = _Draft(head, (*ends[:index], len(head)), steps[index], corruption)
        if draft.begins(head, tokenizer):
            return draft
    return None


def _n_trusted(steps: tuple[str, ...]) -> int:
    """How many of the first steps may be spoilt: all but the last, up to the first with a false equation."""
    equations = map(last_equation, steps[:-1])
    false = (index for index, equation in enumerate(equations) if equation and not equation.is_true)
    return next(false, max(0, len(steps) - 1))


def _unfit(planted: Attempt, draft: _Draft, tokenizer: Tokenizer, config: PlantedConfig) -> str:
    """Why a continued solution is not used, empty if it is: no label fits it, or its spoilt step is gone."""
    if planted.finish_reason != "eos":
        return "truncated"
    if planted.verdict.is_undecided:
        return f"verdict_{planted.verdict}"
    if planted.verdict is Verdict.NO_ANSWER:
        return "no_answer"
    if not draft.begins(planted.token_ids, tokenizer):
        return "step_lost"
    return "too_many_steps" if len(step_ends(planted.token_ids, tokenizer)) > config.max_steps else ""
