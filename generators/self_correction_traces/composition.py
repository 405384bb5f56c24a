"""Composed corrections: a wrong step, a trigger after it, and a right continuation from the last good prefix.

Labels name the wrong step. The search for it drew rollouts from the prefix before that step; they come first among the
continuations. The final answer is verified on the whole text.
"""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

from filters.answers.checker import AnswerChecker, AnswerRule, Decision
from filters.equations.rules import FALSE_EQUATION
from generators.engine.protocol import Limits
from generators.engine.tokenizer import Tokenizer
from generators.records import Problem, Rollout
from generators.sampling.sampler import Sampler
from generators.sampling.steps import step_ends, step_texts
from generators.self_correction_traces import triggers
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.corrections import NotCorrected, good_prefix, learns_falsehood, masked
from generators.self_correction_traces.records import Boundary, Correction, FlawedSolution
from generators.self_correction_traces.segments import segments
from generators.tokens import Ids

_LONGEST_QUOTE = 80


@dataclass(frozen=True, slots=True)
class _Draft:
    """A wrong attempt up to the trigger: `head` has the good tokens, the wrong step and the steps kept after it."""

    good: Ids
    head: Ids
    trigger: Ids
    wrong_step: str


async def compose(
    problem: Problem,
    flawed: FlawedSolution,
    *,
    sampler: Sampler,
    checker: AnswerChecker,
    rule: AnswerRule,
    config: SelfCorrectionConfig,
) -> Correction | NotCorrected:
    """Mend the flawed solution after its wrong step, or say why that failed; raises EngineError."""
    index = flawed.attempt.attempt_index
    if flawed.attempt.verdict.is_right:
        return NotCorrected(problem.problem_id, "composed", index, "right_at_once")
    draft = _draft(problem, flawed, sampler.tokenizer, config)
    room = config.attempt_tokens - len(draft.good)
    reason = "no_right_continuation"
    async for rollout in _continuations(flawed, draft, room, sampler, config):
        if not _goes_on(rollout, draft, sampler.tokenizer):
            continue
        token_ids = (*draft.head, *draft.trigger, *rollout.token_ids)
        decision = await checker.check(sampler.tokenizer.decode(token_ids), problem.golds, rule=rule)
        if decision.verdict.is_right:
            before = await checker.check(sampler.tokenizer.decode(draft.head), problem.golds, rule=rule)
            made = _composed(problem, flawed, draft, rollout, (before, decision), sampler.tokenizer, config)
            if not learns_falsehood(problem, made.segments, good_prefix(flawed, sampler.tokenizer)):
                return made
            reason = FALSE_EQUATION
    return NotCorrected(problem.problem_id, "composed", index, reason)


async def _continuations(
    flawed: FlawedSolution, draft: _Draft, room: int, sampler: Sampler, config: SelfCorrectionConfig
) -> AsyncIterator[Rollout]:
    """Rollouts from the good prefix in the order of their index, lot by lot."""
    cap, lot = config.settings.cap, config.settings.lot
    for start in range(0, cap if room > 0 else 0, lot):
        rollouts = await sampler.draw(
            flawed.attempt.prompt_token_ids + draft.good,
            n=min(lot, cap - start),
            start=start,
            sampling=config.sampling,
            limits=Limits(max_tokens=room),
        )
        for rollout in rollouts:
            yield rollout


def _goes_on(rollout: Rollout, draft: _Draft, tokenizer: Tokenizer) -> bool:
    """Whether the rollout is finished and does not begin with the wrong step again."""
    texts = step_texts(rollout.token_ids, step_ends(rollout.token_ids, tokenizer), tokenizer)
    return rollout.finish_reason == "eos" and bool(texts) and texts[0].strip() != draft.wrong_step


def _draft(problem: Problem, flawed: FlawedSolution, tokenizer: Tokenizer, config: SelfCorrectionConfig) -> _Draft:
    attempt, ends, wrong = flawed.attempt, flawed.step_ends, flawed.first_error
    steps = [text.strip() for text in step_texts(attempt.token_ids, ends, tokenizer)]
    drawn = random.Random(f"{config.seed}/{problem.problem_id}/{attempt.attempt_index}")
    last = min(wrong + drawn.randint(0, config.settings.extra_steps), len(ends) - 1)
    good_step = steps[wrong - 1] if wrong else ""
    if len(good_step) > _LONGEST_QUOTE or '"' in good_step:  # a trigger cannot quote this step to go back to it
        last = wrong
    after_more = triggers.GO_BACK if wrong else triggers.BEGIN_AGAIN
    sentences = config.settings.redo_triggers if last == wrong else after_more
    head = attempt.token_ids[: ends[last]]
    if last == len(ends) - 1 and attempt.finish_reason == "eos":
        head = head[:-1]
    line = triggers.as_line(tokenizer.decode(head), drawn.choice(sentences).format(step=good_step))
    good = attempt.token_ids[: ends[wrong - 1]] if wrong else ()
    return _Draft(good, head, tokenizer.encode(line), steps[wrong])


def _composed(
    problem: Problem,
    flawed: FlawedSolution,
    draft: _Draft,
    rollout: Rollout,
    decisions: tuple[Decision, Decision],
    tokenizer: Tokenizer,
    config: SelfCorrectionConfig,
) -> Correction:
    token_ids = (*draft.head, *draft.trigger, *rollout.token_ids)
    ends = (len(draft.head), len(draft.head) + len(draft.trigger), len(token_ids))
    parts = segments(token_ids, ends, ("written", "trigger", "written"), tokenizer)
    before = Boundary(
        end=ends[0],
        generated=ends[0],
        budget=config.attempt_tokens,
        end_of_text=None,
        verdict=decisions[0].verdict,
        extracted=decisions[0].extracted,
        found_by=decisions[0].found_by,
    )
    after = Boundary(
        end=ends[2],
        generated=ends[0] + len(rollout.token_ids),
        budget=config.attempt_tokens,
        end_of_text=rollout.token_ids[-1],
        verdict=decisions[1].verdict,
        extracted=decisions[1].extracted,
        found_by=decisions[1].found_by,
    )
    return Correction(
        problem=problem,
        origin="composed",
        attempt_index=flawed.attempt.attempt_index,
        prompt_token_ids=flawed.attempt.prompt_token_ids,
        segments=parts,
        boundaries=(before, after),
        masked=masked(parts, config.settings.mask, good=good_prefix(flawed, tokenizer)),
    )
