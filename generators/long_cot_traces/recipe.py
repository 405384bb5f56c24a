"""BOLT (arXiv 2502.03860): a policy bootstraps long chains of thought from a few worked examples.

The recipe draws samples of a problem, parts each into internal thoughts and external solution, and scores the solution
alone: by the verifier where the problem has an answer, by an outcome reward model where it has none.
`generators.long_cot_traces.selection` decides over the whole slice which samples become rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from filters.answers.checker import AnswerChecker, AnswerRule
from filters.answers.verdicts import VERIFIER
from filters.texts.thoughts import Tags, parse
from generators.engine.protocol import Limits, Sampling
from generators.long_cot_traces.behaviours import behaviours
from generators.long_cot_traces.closing import Answer, as_written, with_closed_thoughts
from generators.long_cot_traces.prompt import is_opened
from generators.long_cot_traces.records import ClosedBy, LongCotSample, LongCotTrace
from generators.long_cot_traces.settings import Settings
from generators.models.reward import RewardModel
from generators.records import Problem
from generators.sampling.sampler import Sampler
from generators.sampling.tasks import gather

VERSION = "5"  # bump when a change here would change the rows


@dataclass(frozen=True, slots=True, kw_only=True)
class BoltConfig:
    """The settings, and how samples are drawn."""

    sampling: Sampling
    settings: Settings


async def draw_samples(
    problem: Problem,
    prompt: Sequence[int],
    *,
    sampler: Sampler,
    checker: AnswerChecker,
    rule: AnswerRule,
    config: BoltConfig,
    reward: RewardModel | None = None,
) -> tuple[LongCotSample, ...]:
    """The samples after `prompt`, in the order of their index; raises EngineError.

    Under the prompt of the attempts, the ledger already has what the attempts drew. `reward` scores a problem that has
    no answer.
    """
    tags = config.settings.tags
    judge = None if problem.has_answer else reward
    if judge is None and not problem.has_answer:
        raise ValueError(f"reward must be a reward model: problem {problem.problem_id} has no answer, got None")
    head = f"{tags.opening}\n" if is_opened(prompt, tokenizer=sampler.tokenizer, tags=tags) else ""
    answers = await _answers(prompt, head, sampler, config)
    scored_by = VERIFIER if judge is None else judge.name
    samples = [
        _parted(problem, prompt, index, answer, head + sampler.tokenizer.decode(answer.token_ids), tags, scored_by)
        for index, answer in enumerate(answers)
    ]
    if judge is None:
        return await gather(_verified(sample, problem.golds, checker, rule) for sample in samples)
    return await _rewarded(samples, problem.prompt, judge)


def trace(
    problem: Problem, best: LongCotSample, *, topic: str | None, difficulty: str | None, tags: Tags
) -> LongCotTrace:
    """The row of a well-formed sample, as a chat without the worked examples."""
    if best.internal_thoughts is None or best.external_solution is None:
        raise ValueError(f"best must be well-formed, got a sample of {problem.problem_id} with {best.malformed}")
    answer = tags.join(best.internal_thoughts, best.external_solution)
    return LongCotTrace(
        problem=problem,
        sample=best,
        messages=({"role": "user", "content": problem.prompt}, {"role": "assistant", "content": answer}),
        topic=topic,
        difficulty=difficulty,
        behaviours=behaviours(best.internal_thoughts),
    )


async def _answers(prompt: Sequence[int], head: str, sampler: Sampler, config: BoltConfig) -> tuple[Answer, ...]:
    """The policy's answers in the order of the index."""
    sampling, settings = config.sampling, config.settings
    limits = Limits(max_tokens=settings.max_tokens)
    rollouts = await sampler.draw(prompt, n=settings.n, sampling=sampling, limits=limits)
    if not settings.close_thoughts:
        return tuple(as_written(rollout) for rollout in rollouts)
    return await gather(
        with_closed_thoughts(
            prompt,
            rollout,
            head=head,
            sampler=sampler,
            sampling=sampling,
            max_tokens=settings.max_tokens,
            tags=settings.tags,
        )
        for rollout in rollouts
    )


def _parted(
    problem: Problem, prompt: Sequence[int], index: int, answer: Answer, text: str, tags: Tags, scored_by: str
) -> LongCotSample:
    parsed = parse(text, tags=tags, truncated=answer.finish_reason == "length")
    start, end = answer.closing or (None, None)
    closed_by: ClosedBy | None = "recipe" if answer.closing else "policy" if tags.closing in text else None
    return LongCotSample(
        problem_id=problem.problem_id,
        sample_index=index,
        prompt_token_ids=tuple(prompt),
        token_ids=answer.token_ids,
        text=text,
        finish_reason=answer.finish_reason,
        thoughts_closed_by=closed_by,
        closing_token_start=start,
        closing_token_end=end,
        malformed=parsed.reason,
        internal_thoughts=parsed.thoughts,
        external_solution=parsed.solution,
        scored_by=scored_by,
        score=None,
        verdict=None,
        extracted=None,
        found_by=None,
    )


async def _verified(
    sample: LongCotSample, golds: Sequence[str], checker: AnswerChecker, rule: AnswerRule
) -> LongCotSample:
    if sample.external_solution is None:
        return sample
    decision = await checker.check(sample.external_solution, golds, rule=rule)
    is_right = rule.is_right(decision.verdict)
    return replace(
        sample,
        score=None if is_right is None else float(is_right),
        verdict=decision.verdict,
        extracted=decision.extracted,
        found_by=decision.found_by,
    )


async def _rewarded(samples: Sequence[LongCotSample], prompt: str, judge: RewardModel) -> tuple[LongCotSample, ...]:
    solutions = [sample.external_solution for sample in samples if sample.external_solution is not None]
    scores = iter(await judge.score(prompt, solutions) if solutions else ())
    return tuple(
        sample if sample.external_solution is None else replace(sample, score=next(scores)) for sample in samples
    )
