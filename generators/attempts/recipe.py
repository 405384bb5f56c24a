"""The recipe of attempts: draw whole solutions of a problem with the policy's sampling params and verify each."""

from dataclasses import dataclass

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.engine.protocol import Limits, Sampling
from generators.problems import prompt as solve
from generators.records import Attempt, Problem
from generators.sampling.sampler import Sampler
from generators.tokens import TokenIds

VERSION = "5"  # bump when a change here would change the rows


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptsConfig:
    """Solutions per problem, their sampling params and token limit, and the worked examples before the problem."""

    n: int
    sampling: Sampling
    max_tokens: int
    examples: tuple[solve.Example, ...] = ()

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n}")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens}")


async def attempt(
    problem: Problem, *, sampler: Sampler, checker: AnswerChecker, rule: AnswerRule, config: AttemptsConfig
) -> tuple[Attempt, ...]:
    """`config.n` verified solutions of `problem`, in the order of their attempt index."""
    prompt = sampler.tokenizer.chat(solve.messages(problem.prompt, examples=config.examples))
    rollouts = await sampler.draw(
        prompt, n=config.n, sampling=config.sampling, limits=Limits(max_tokens=config.max_tokens)
    )
    shared = TokenIds(prompt)
    decisions = [await checker.check(rollout.text, problem.golds, rule=rule) for rollout in rollouts]
    return tuple(
        Attempt(
            problem_id=problem.problem_id,
            attempt_index=rollout.index,
            prompt_token_ids=shared,
            token_ids=TokenIds(rollout.token_ids),
            text=rollout.text,
            finish_reason=rollout.finish_reason,
            verdict=decision.verdict,
            extracted=decision.extracted,
            found_by=decision.found_by,
        )
        for rollout, decision in zip(rollouts, decisions, strict=True)
    )
