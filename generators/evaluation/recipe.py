"""Solve one held-out problem several times, and keep what figures need: how many were right, and how long they were."""

from dataclasses import dataclass

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.records import Problem
from generators.sampling.sampler import Sampler
from generators.self_correction_traces.aggregation import by_majority

VERSION = "1"  # bump when a change here would change results
GROUP = 8  # solutions that vote together


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemResult:
    """What a policy did with one problem: `n_right` of `n` solutions, with `tokens` in all.

    The solutions vote in `n_votes` disjoint groups of eight; `n_votes_right` of these choose the right answer. A
    solution whose answer cannot be decided counts as not right.
    """

    problem_id: str
    n: int
    n_right: int
    n_votes: int
    n_votes_right: int
    tokens: int


async def evaluated(
    problem: Problem, *, sampler: Sampler, checker: AnswerChecker, rule: AnswerRule, config: AttemptsConfig
) -> ProblemResult:
    """The result of `config.n` solutions of a problem; raises EngineError."""
    solutions = await attempt(problem, sampler=sampler, checker=checker, rule=rule, config=config)
    groups = [solutions[start : start + GROUP] for start in range(0, len(solutions) - GROUP + 1, GROUP)]
    chosen = [by_majority(group) for group in groups]
    return ProblemResult(
        problem_id=problem.problem_id,
        n=len(solutions),
        n_right=sum(solution.verdict.is_right for solution in solutions),
        n_votes=len(groups),
        n_votes_right=sum(choice is not None and choice.verdict.is_right for choice in chosen),
        tokens=sum(len(solution.token_ids) for solution in solutions),
    )
