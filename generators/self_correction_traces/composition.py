"""Composed corrections: a wrong step, a trigger behind it, and a right continuation from the last good prefix.

The wrong step is the one that the labels name; the rollouts from the prefix before it, which the search has made, come
first among the continuations. The final answer is verified on the whole text. Knows nothing of servers, files or
Dagster, nor of how the wrong step was found.
"""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import get_args

from filters.answers.checker import AnswerChecker, AnswerRule, Decision
from generators.engine.protocol import Limits, Sampling
from generators.engine.tokenizer import Tokenizer
from generators.records import Problem, Rollout
from generators.sampling.sampler import Sampler
from generators.sampling.steps import step_ends, step_texts
from generators.self_correction_traces import triggers
from generators.self_correction_traces.corrections import Mask, NotCorrected, good_part, masked
from generators.self_correction_traces.records import Boundary, Correction, FlawedSolution
from generators.self_correction_traces.segments import segments

_LONGEST_QUOTE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositionConfig:
    """How a correction is put together.

    `sampling` and `max_tokens` (of a whole solution) are those of the attempts. Up to `extra_steps` steps behind the
    wrong one are kept, how many is drawn by `seed`. Continuations are drawn `lot` at a time, at most `cap`.
    """

    sampling: Sampling
    max_tokens: int
    extra_steps: int = 2
    lot: int = 4
    cap: int = 16
    mask: Mask = "mistake"
    seed: int = 0

    def __post_init__(self) -> None:
        for field in ("max_tokens", "lot"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")
        if self.extra_steps < 0:
            raise ValueError(f"extra_steps must be at least 0, got {self.extra_steps}")
        if self.cap < self.lot:
            raise ValueError(f"cap must be at least lot ({self.lot}), got {self.cap}")
        if self.mask not in get_args(Mask):
            raise ValueError(f"mask must be one of {', '.join(get_args(Mask))}, got {self.mask!r}")


@dataclass(frozen=True, slots=True)
class _Draft:
    """A wrong attempt up to the trigger: `good` tokens, then the wrong step and what is kept behind it."""

    good: tuple[int, ...]
    head: tuple[int, ...]
    trigger: tuple[int, ...]
    wrong_step: str


async def compose(
    problem: Problem,
    flawed: FlawedSolution,
    *,
    sampler: Sampler,
    checker: AnswerChecker,
    rule: AnswerRule,
    config: CompositionConfig,
) -> Correction | NotCorrected:
    """The flawed solution up to its wrong step, mended, or the reason why it is not; raises EngineError."""
    index = flawed.attempt.attempt_index
    if flawed.attempt.verdict.is_right:
        return NotCorrected(problem.problem_id, "composed", index, "right_at_once")
    draft = _draft(problem, flawed, sampler.tokenizer, config)
    room = config.max_tokens - len(draft.good)
    async for rollout in _continuations(flawed, draft, room, sampler, config):
        if not _goes_on(rollout, draft, sampler.tokenizer):
            continue
        token_ids = (*draft.head, *draft.trigger, *rollout.token_ids)
        decision = await checker.check(sampler.tokenizer.decode(token_ids), problem.answer, rule=rule)
        if decision.verdict.is_right:
            before = await checker.check(sampler.tokenizer.decode(draft.head), problem.answer, rule=rule)
            return _composed(problem, flawed, draft, rollout, (before, decision), sampler.tokenizer, config)
    return NotCorrected(problem.problem_id, "composed", index, "no_right_continuation")


async def _continuations(
    flawed: FlawedSolution, draft: _Draft, room: int, sampler: Sampler, config: CompositionConfig
) -> AsyncIterator[Rollout]:
    """Rollouts from the good prefix in the order of their index, from the first one on."""
    for start in range(0, config.cap if room > 0 else 0, config.lot):
        drawn = await sampler.draw(
            flawed.attempt.prompt_token_ids + draft.good,
            n=min(config.lot, config.cap - start),
            start=start,
            sampling=config.sampling,
            limits=Limits(max_tokens=room),
        )
        for rollout in drawn:
            yield rollout


def _goes_on(rollout: Rollout, draft: _Draft, tokenizer: Tokenizer) -> bool:
    """The rollout came to its end, and does not begin with the wrong step again."""
    texts = step_texts(rollout.token_ids, step_ends(rollout.token_ids, tokenizer), tokenizer)
    return rollout.finish_reason == "eos" and bool(texts) and texts[0].strip() != draft.wrong_step


def _draft(problem: Problem, flawed: FlawedSolution, tokenizer: Tokenizer, config: CompositionConfig) -> _Draft:
    attempt, ends, place = flawed.attempt, flawed.step_ends, flawed.first_error
    steps = [text.strip() for text in step_texts(attempt.token_ids, ends, tokenizer)]
    drawn = random.Random(f"{config.seed}/{problem.problem_id}/{attempt.attempt_index}")
    last = min(place + drawn.randint(0, config.extra_steps), len(ends) - 1)
    good_step = steps[place - 1] if place else ""
    if len(good_step) > _LONGEST_QUOTE or '"' in good_step:  # nothing to go back to by name
        last = place
    sentences = triggers.REDO_STEP if last == place else triggers.GO_BACK if place else triggers.BEGIN_AGAIN
    head = attempt.token_ids[: ends[last]]
    if last == len(ends) - 1 and attempt.finish_reason == "eos":
        head = head[:-1]
    line = triggers.as_line(tokenizer.decode(head), drawn.choice(sentences).format(step=good_step))
    good = attempt.token_ids[: ends[place - 1]] if place else ()
    return _Draft(good, head, tokenizer.encode(line), steps[place])


def _composed(
    problem: Problem,
    flawed: FlawedSolution,
    draft: _Draft,
    rollout: Rollout,
    decisions: tuple[Decision, Decision],
    tokenizer: Tokenizer,
    config: CompositionConfig,
) -> Correction:
    token_ids = (*draft.head, *draft.trigger, *rollout.token_ids)
    ends = (len(draft.head), len(draft.head) + len(draft.trigger), len(token_ids))
    parts = segments(token_ids, ends, ("written", "trigger", "written"), tokenizer)
    before = Boundary(
        end=ends[0],
        generated=ends[0],
        budget=config.max_tokens,
        end_of_text=None,
        verdict=decisions[0].verdict,
        extracted=decisions[0].extracted,
    )
    after = Boundary(
        end=ends[2],
        generated=ends[0] + len(rollout.token_ids),
        budget=config.max_tokens,
        end_of_text=rollout.token_ids[-1],
        verdict=decisions[1].verdict,
        extracted=decisions[1].extracted,
    )
    return Correction(
        problem=problem,
        origin="composed",
        attempt_index=flawed.attempt.attempt_index,
        prompt_token_ids=flawed.attempt.prompt_token_ids,
        segments=parts,
        boundaries=(before, after),
        masked=masked(parts, config.mask, good=good_part(flawed, tokenizer)),
    )
