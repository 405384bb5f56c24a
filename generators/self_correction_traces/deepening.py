"""Iterative-deepening sampling: budgets that grow, and at each boundary a trigger to look again (arXiv 2502.05449).

A sample starts with the attempt of the same index, so what the attempts paid for is not paid again; it is cut at the
first budget. What follows a trigger continues the response's own tokens. Every number that the paper leaves open is a
setting. Knows nothing of servers, files or Dagster: it is handed a sampler and an answer checker.
"""

import random
from dataclasses import dataclass, field
from typing import Literal, get_args

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.engine.protocol import Limits, Sampling
from generators.problems import prompt as solve
from generators.records import FinishReason, Problem, Rollout
from generators.sampling.sampler import Sampler
from generators.sampling.tasks import gather
from generators.self_correction_traces import triggers
from generators.self_correction_traces.records import Boundary, DeepenedResponse, SegmentKind
from generators.self_correction_traces.segments import segments

VERSION = "1"  # bump when a change here would change the rows

Counts = Literal["response", "segment"]
AtMax = Literal["cut", "finish", "trigger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdSamplingConfig:
    """How many samples of a problem, how budgets grow, and when a trigger is put.

    `sampling`, `max_tokens` (of a whole response, triggers included) and `examples` are those of the attempts. Budgets
    are `first_budget`, then each `growth` times the one before, up to `max_budget`; they count the tokens of the whole
    `response` or of its newest `segment`. At `max_budget` a response is `cut`, or left to `finish` within `max_tokens`,
    or given a last `trigger` before that. `triggers_finished` puts a trigger behind finished responses too. Of
    `triggers` one is drawn by `seed`, problem, sample and place.
    """

    n: int
    sampling: Sampling
    max_tokens: int
    first_budget: int = 64
    growth: float = 2.0
    max_budget: int = 256
    counts: Counts = "response"
    at_max: AtMax = "cut"
    triggers_finished: bool = False
    max_triggers: int = 8
    triggers: tuple[str, ...] = triggers.RETHINK
    seed: int = 0
    examples: tuple[solve.Example, ...] = ()

    def __post_init__(self) -> None:
        for name in ("n", "max_tokens", "first_budget"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.growth <= 1:
            raise ValueError(f"growth must be above 1, got {self.growth}")
        if not self.first_budget <= self.max_budget <= self.max_tokens:
            raise ValueError(
                f"max_budget must be from first_budget ({self.first_budget}) to max_tokens ({self.max_tokens}), "
                f"got {self.max_budget}"
            )
        for name, choices in (("counts", Counts), ("at_max", AtMax)):
            if getattr(self, name) not in get_args(choices):
                raise ValueError(f"{name} must be one of {', '.join(get_args(choices))}, got {getattr(self, name)!r}")
        if self.max_triggers < 0:
            raise ValueError(f"max_triggers must be at least 0, got {self.max_triggers}")
        if not self.triggers or not all(text.strip() and "\n" not in text for text in self.triggers):
            raise ValueError(f"triggers must hold at least one line of text and no line breaks, got {self.triggers}")

    @property
    def budgets(self) -> tuple[int, ...]:
        """The budgets in their order; a trigger stands between one and the next."""
        grown = [self.first_budget]
        while (following := max(grown[-1] + 1, int(grown[-1] * self.growth))) < self.max_budget:
            grown.append(following)
        if grown[-1] < self.max_budget:
            grown.append(self.max_budget)
        if self.at_max == "finish":
            grown[-1] = self.max_tokens
        elif self.at_max == "trigger" and grown[-1] < self.max_tokens:
            grown.append(self.max_tokens)
        return tuple(grown)

    def room(self, budget: int, written: int) -> int:
        """How many tokens may follow the `written` ones of a response."""
        return min(self.max_tokens - written, budget - written if self.counts == "response" else budget)


@dataclass(slots=True)
class _Draft:
    """A response in the making; `place` is that of its budget among the budgets."""

    index: int
    place: int = 0
    token_ids: tuple[int, ...] = ()
    kinds: list[SegmentKind] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    boundaries: list[Boundary] = field(default_factory=list)
    generated: int = 0

    @property
    def n_triggers(self) -> int:
        return self.kinds.count("trigger")

    def add(self, kind: SegmentKind, token_ids: tuple[int, ...]) -> None:
        self.token_ids += token_ids
        self.kinds.append(kind)
        self.ends.append(len(self.token_ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deepening:
    """One problem, and what it takes to deepen responses to it."""

    problem: Problem
    prompt: tuple[int, ...]
    sampler: Sampler
    checker: AnswerChecker
    rule: AnswerRule
    config: IdSamplingConfig

    async def sample(self, index: int) -> DeepenedResponse:
        """The response of one sample index, from its first token to its last boundary."""
        draft, budgets = _Draft(index), self.config.budgets
        while True:
            if draft.n_triggers == self.config.max_triggers:  # nothing happens at the boundaries before the last
                draft.place = len(budgets) - 1
            limit = self.config.room(budgets[draft.place], len(draft.token_ids))
            rollout = await self._draw(draft, limit)
            draft.generated += len(rollout.token_ids)
            trigger = self._trigger(draft, rollout, limit)
            # A trigger takes the place of the end of the text.
            draft.add("written", rollout.unended_ids if trigger else rollout.token_ids)
            draft.boundaries.append(await self._boundary(draft, budgets[draft.place], rollout))
            if trigger is None:
                return self._response(draft, rollout.finish_reason)
            draft.place, token_ids = trigger
            draft.add("trigger", token_ids)

    async def _draw(self, draft: _Draft, limit: int) -> Rollout:
        (rollout,) = await self.sampler.draw(
            self.prompt + draft.token_ids,
            n=1,
            start=draft.index,
            sampling=self.config.sampling,
            limits=Limits(max_tokens=limit),
        )
        return rollout

    def _trigger(self, draft: _Draft, rollout: Rollout, limit: int) -> tuple[int, tuple[int, ...]] | None:
        """The place of the next budget and the ids of the trigger before it; None where the response ends here."""
        config = self.config
        finished = rollout.finish_reason == "eos"
        context_is_full = not finished and len(rollout.token_ids) < limit
        if context_is_full or draft.n_triggers == config.max_triggers or (finished and not config.triggers_finished):
            return None
        written = draft.token_ids + rollout.unended_ids
        drawn = random.Random(f"{config.seed}/{self.problem.problem_id}/{draft.index}/{draft.n_triggers}")
        tokenizer = self.sampler.tokenizer
        token_ids = tokenizer.encode(triggers.as_line(tokenizer.decode(written), drawn.choice(config.triggers)))
        later = range(draft.place + 1, len(config.budgets))
        length = len(written) + len(token_ids)
        with_room = (place for place in later if config.room(config.budgets[place], length) >= 1)
        place = next(with_room, None)
        return None if place is None else (place, token_ids)

    async def _boundary(self, draft: _Draft, budget: int, rollout: Rollout) -> Boundary:
        text = self.sampler.tokenizer.decode(draft.token_ids)
        decision = await self.checker.check(text, self.problem.answer, rule=self.rule)
        return Boundary(
            end=len(draft.token_ids),
            generated=draft.generated,
            budget=budget,
            end_of_text=rollout.token_ids[-1] if rollout.finish_reason == "eos" else None,
            verdict=decision.verdict,
            extracted=decision.extracted,
        )

    def _response(self, draft: _Draft, finish_reason: FinishReason) -> DeepenedResponse:
        return DeepenedResponse(
            problem_id=self.problem.problem_id,
            sample_index=draft.index,
            prompt_token_ids=self.prompt,
            segments=segments(draft.token_ids, draft.ends, draft.kinds, self.sampler.tokenizer),
            boundaries=tuple(draft.boundaries),
            finish_reason=finish_reason,
        )


async def deepen(
    problem: Problem, *, sampler: Sampler, checker: AnswerChecker, rule: AnswerRule, config: IdSamplingConfig
) -> tuple[DeepenedResponse, ...]:
    """`config.n` responses to `problem`, in the order of their sample index; raises EngineError."""
    prompt = sampler.tokenizer.chat(solve.messages(problem.prompt, examples=config.examples))
    deepening = _Deepening(problem=problem, prompt=prompt, sampler=sampler, checker=checker, rule=rule, config=config)
    return await gather(deepening.sample(index) for index in range(config.n))
