"""Iterative-deepening sampling: budgets grow, and at each boundary a trigger asks to look again (arXiv 2502.05449).

A sample starts with the attempt of the same index, cut at the first budget, so its tokens are not paid again. What
follows a trigger continues the response's own tokens. Every number that the paper leaves open is a setting.
"""

import random
from dataclasses import dataclass, field

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.engine.protocol import Limits
from generators.problems import prompt as solve
from generators.records import FinishReason, Problem, Rollout
from generators.sampling.sampler import Sampler
from generators.sampling.tasks import gather
from generators.self_correction_traces import triggers
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.records import Boundary, DeepenedResponse, SegmentKind
from generators.self_correction_traces.segments import segments
from generators.tokens import Ids


@dataclass(slots=True)
class _Draft:
    """An unfinished response; `budget_index` says which of the budgets it has."""

    sample_index: int
    budget_index: int = 0
    token_ids: Ids = ()
    kinds: list[SegmentKind] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    boundaries: list[Boundary] = field(default_factory=list)
    generated: int = 0

    @property
    def n_triggers(self) -> int:
        return self.kinds.count("trigger")

    def add(self, kind: SegmentKind, token_ids: Ids) -> None:
        self.token_ids += token_ids
        self.kinds.append(kind)
        self.ends.append(len(self.token_ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deepening:
    """One problem, and what deepens responses to it."""

    problem: Problem
    prompt: Ids
    sampler: Sampler
    checker: AnswerChecker
    rule: AnswerRule
    config: SelfCorrectionConfig

    async def sample(self, index: int) -> DeepenedResponse:
        """The response of one sample index, from its first token to its last boundary."""
        draft, budgets = _Draft(index), self.config.budgets
        while True:
            if draft.n_triggers == self.config.settings.max_triggers:  # no boundary but the last one matters
                draft.budget_index = len(budgets) - 1
            limit = self.config.room(budgets[draft.budget_index], len(draft.token_ids))
            rollout = await self._draw(draft, limit)
            draft.generated += len(rollout.token_ids)
            trigger = self._trigger(draft, rollout, limit)
            # A trigger replaces the end of the text.
            draft.add("written", rollout.unended_ids if trigger else rollout.token_ids)
            draft.boundaries.append(await self._boundary(draft, budgets[draft.budget_index], rollout))
            if trigger is None:
                return self._response(draft, rollout.finish_reason)
            draft.budget_index, token_ids = trigger
            draft.add("trigger", token_ids)

    async def _draw(self, draft: _Draft, limit: int) -> Rollout:
        (rollout,) = await self.sampler.draw(
            self.prompt + draft.token_ids,
            n=1,
            start=draft.sample_index,
            sampling=self.config.sampling,
            limits=Limits(max_tokens=limit),
        )
        return rollout

    def _trigger(self, draft: _Draft, rollout: Rollout, limit: int) -> tuple[int, tuple[int, ...]] | None:
        """The index of the next budget and the ids of the trigger before it; None if the response ends here."""
        config, settings = self.config, self.config.settings
        finished = rollout.finish_reason == "eos"
        context_is_full = not finished and len(rollout.token_ids) < limit
        is_last = draft.n_triggers == settings.max_triggers or (finished and not settings.triggers_finished)
        if context_is_full or is_last:
            return None
        token_ids = draft.token_ids + rollout.unended_ids
        drawn = random.Random(f"{config.seed}/{self.problem.problem_id}/{draft.sample_index}/{draft.n_triggers}")
        tokenizer = self.sampler.tokenizer
        line = triggers.as_line(tokenizer.decode(token_ids), drawn.choice(settings.triggers))
        trigger_ids = tokenizer.encode(line)
        n_tokens = len(token_ids) + len(trigger_ids)
        later = range(draft.budget_index + 1, len(config.budgets))
        with_room = (index for index in later if config.room(config.budgets[index], n_tokens) >= 1)
        following = next(with_room, None)
        return None if following is None else (following, trigger_ids)

    async def _boundary(self, draft: _Draft, budget: int, rollout: Rollout) -> Boundary:
        text = self.sampler.tokenizer.decode(draft.token_ids)
        decision = await self.checker.check(text, self.problem.golds, rule=self.rule)
        return Boundary(
            end=len(draft.token_ids),
            generated=draft.generated,
            budget=budget,
            end_of_text=rollout.token_ids[-1] if rollout.finish_reason == "eos" else None,
            verdict=decision.verdict,
            extracted=decision.extracted,
            found_by=decision.found_by,
        )

    def _response(self, draft: _Draft, finish_reason: FinishReason) -> DeepenedResponse:
        return DeepenedResponse(
            problem_id=self.problem.problem_id,
            sample_index=draft.sample_index,
            prompt_token_ids=self.prompt,
            segments=segments(draft.token_ids, draft.ends, draft.kinds, self.sampler.tokenizer),
            boundaries=tuple(draft.boundaries),
            finish_reason=finish_reason,
        )


async def deepen(
    problem: Problem, *, sampler: Sampler, checker: AnswerChecker, rule: AnswerRule, config: SelfCorrectionConfig
) -> tuple[DeepenedResponse, ...]:
    """The responses to `problem`, in the order of their sample index; raises EngineError."""
    prompt = sampler.tokenizer.chat(solve.messages(problem.prompt, examples=config.examples))
    deepening = _Deepening(problem=problem, prompt=prompt, sampler=sampler, checker=checker, rule=rule, config=config)
    return await gather(deepening.sample(index) for index in range(config.settings.samples))
