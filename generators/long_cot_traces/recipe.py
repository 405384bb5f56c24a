"""BOLT (arXiv 2502.03860): a policy bootstraps long chains of thought from a few worked examples.

The recipe draws samples at one problem, takes each apart into internal thoughts and external solution, and scores the
solution alone: by the verifier where the problem has an answer, by an outcome reward model where it has none. Which
samples become rows is decided over the whole slice, in `generators.long_cot_traces.selection`. Knows nothing of
servers, files or Dagster.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from filters.answers.checker import AnswerChecker, AnswerRule
from filters.answers.verdicts import VERIFIER
from filters.texts.thoughts import DEFAULT_TAGS, Tags, parse
from generators.engine.protocol import Limits, Sampling
from generators.long_cot_traces.behaviours import behaviours
from generators.long_cot_traces.closing import Answer, as_written, with_closed_thoughts
from generators.long_cot_traces.prompt import is_opened
from generators.long_cot_traces.records import ClosedBy, LongCotSample, LongCotTrace
from generators.models.reward import RewardModel
from generators.records import Problem
from generators.sampling.sampler import Sampler
from generators.sampling.tasks import gather

VERSION = "4"  # bump when a change here would change the rows


@dataclass(frozen=True, slots=True, kw_only=True)
class BoltConfig:
    """How many samples a problem gets, from which law, of at most how many tokens, and what stands around thoughts.

    `close_thoughts` puts the closing tag behind an answer that ended inside of its thoughts, and has the policy go on.
    """

    sampling: Sampling
    max_tokens: int
    n: int = 8
    tags: Tags = DEFAULT_TAGS
    close_thoughts: bool = False

    def __post_init__(self) -> None:
        for field in ("max_tokens", "n"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")


async def sample(
    problem: Problem,
    prompt: Sequence[int],
    *,
    sampler: Sampler,
    checker: AnswerChecker,
    rule: AnswerRule,
    config: BoltConfig,
    reward: RewardModel | None = None,
) -> tuple[LongCotSample, ...]:
    """`config.n` samples after `prompt`, in the order of their index; raises EngineError.

    `prompt` is one of `generators.long_cot_traces.prompt`, or that of the attempts: then what the attempts drew is not
    drawn again. A problem with a blank answer is scored by `reward`.
    """
    judge = None if problem.has_answer else reward
    if judge is None and not problem.has_answer:
        raise ValueError(f"reward must be a reward model: problem {problem.problem_id} has no answer, got None")
    head = f"{config.tags.opening}\n" if is_opened(prompt, tokenizer=sampler.tokenizer, tags=config.tags) else ""
    answers = await _answers(prompt, head, sampler, config)
    scored_by = VERIFIER if judge is None else judge.name
    read = [
        _read(problem, prompt, index, answer, head + sampler.tokenizer.decode(answer.token_ids), config.tags, scored_by)
        for index, answer in enumerate(answers)
    ]
    if judge is None:
        return await gather(_verified(one, problem.answer, checker, rule) for one in read)
    return await _rewarded(read, problem.prompt, judge)


def trace(
    problem: Problem, best: LongCotSample, *, topic: str | None, difficulty: str | None, tags: Tags = DEFAULT_TAGS
) -> LongCotTrace:
    """The row of a well-formed sample: a chat without the worked examples, as it is to be learnt."""
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
    """What the policy answers, in the order of the index."""
    law, most, tags = config.sampling, config.max_tokens, config.tags
    rollouts = await sampler.draw(prompt, n=config.n, sampling=law, limits=Limits(max_tokens=most))
    if not config.close_thoughts:
        return tuple(as_written(rollout) for rollout in rollouts)
    return await gather(
        with_closed_thoughts(prompt, rollout, head=head, sampler=sampler, sampling=law, max_tokens=most, tags=tags)
        for rollout in rollouts
    )


def _read(
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
    )


async def _verified(one: LongCotSample, answer: str, checker: AnswerChecker, rule: AnswerRule) -> LongCotSample:
    if one.external_solution is None:
        return one
    decision = await checker.check(one.external_solution, answer, rule=rule)
    score = None if decision.verdict.is_undecided else float(decision.verdict.is_right)
    return replace(one, score=score, verdict=decision.verdict, extracted=decision.extracted)


async def _rewarded(read: Sequence[LongCotSample], prompt: str, judge: RewardModel) -> tuple[LongCotSample, ...]:
    solutions = [one.external_solution for one in read if one.external_solution is not None]
    scores = iter(await judge.score(prompt, solutions) if solutions else ())
    return tuple(one if one.external_solution is None else replace(one, score=next(scores)) for one in read)
