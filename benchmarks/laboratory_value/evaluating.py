"""What a policy does with held-out problems, and with attempts that began wrong."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from upath import UPath

from benchmarks.laboratory_value.engine import CONTEXT, IN_FLIGHT, engine_of
from benchmarks.laboratory_value.problems import truth_of
from benchmarks.laboratory_value.sections import max_tokens, source
from filters.answers.checker import AnswerChecker
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Limits, Sampling
from generators.engine.slots import Slots
from generators.evaluation.recipe import ProblemResult, evaluated
from generators.models.policy import Policy
from generators.records import Attempt, Problem
from generators.sampling.ledger import Ledger
from generators.sampling.runner import run_recipe
from generators.sampling.sampler import Sampler
from generators.sampling.steps import step_ends

DEEP = 64  # samples of a problem whose pass@64 is measured
CONTINUATIONS = 4  # of a wrong start
LONGEST = 3  # times an attempt's tokens: an answer with thoughts is longer
_SEED = 77  # of all evaluations; the rounds have seeds of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongStart:
    """The beginning of an attempt at a problem, up to its first wrong step."""

    problem: Problem
    prefix: tuple[int, ...]
    text: str


@asynccontextmanager
async def opened(policy: Policy, folder: Path) -> AsyncIterator[tuple[Sampler, AnswerChecker]]:
    """A sampler over the policy, with its ledger in `folder`, and a checker of answers."""
    async with engine_of(policy) as engine:
        pool = Pool(engine, Slots(2 * IN_FLIGHT), settings=RetrySettings())
        with Ledger(UPath(folder / "ledger")) as ledger, AnswerChecker() as checker:
            sampler = Sampler(
                policy=policy.name, engine=pool, tokenizer=policy.tokenizer, ledger=ledger, context=CONTEXT
            )
            async with sampler:
                yield sampler, checker


def solved(policy: Policy, problems: Sequence[Problem], *, samples: int, deep: int, folder: Path) -> list[Any]:
    """The results of the problems as JSON data, the first `deep` of them from 64 samples."""

    async def solve() -> list[ProblemResult]:
        async with opened(policy, folder) as (sampler, checker):
            parts = []
            for n, part in ((DEEP, problems[:deep]), (samples, problems[deep:])):
                recipe = partial(
                    evaluated, sampler=sampler, checker=checker, rule=source().answer_rule, config=asked(n)
                )
                parts += _all(await run_recipe(recipe, part, window=2 * IN_FLIGHT))
            return parts

    results = asyncio.run(solve())
    shutil.rmtree(folder / "ledger")
    return [asdict(result) for result in results]


def asked(n: int) -> AttemptsConfig:
    """How problems are asked and answers drawn in evaluations."""
    return AttemptsConfig(n=n, sampling=Sampling(temperature=1.0, seed=_SEED), max_tokens=LONGEST * max_tokens())


def attempted(policy: Policy, problems: Sequence[Problem], *, n: int, folder: Path) -> list[tuple[Attempt, ...]]:
    """`n` attempts at each problem."""

    async def attempt_all() -> list[tuple[Attempt, ...]]:
        async with opened(policy, folder) as (sampler, checker):
            recipe = partial(attempt, sampler=sampler, checker=checker, rule=source().answer_rule, config=asked(n))
            return _all(await run_recipe(recipe, problems, window=2 * IN_FLIGHT))

    return asyncio.run(attempt_all())


def wrong_starts(
    problems: Sequence[Problem], attempts: Sequence[Sequence[Attempt]], policy: Policy, *, n: int
) -> list[WrongStart]:
    """The first attempt at a problem that goes wrong before its last step, up to there, for `n` problems at most."""
    starts = []
    for problem, group in zip(problems, attempts, strict=True):
        for one in group:
            ends, first = step_ends(one.token_ids, policy.tokenizer), truth_of(problem.prompt, one.text).first_error
            if first is not None and first < len(ends) - 1:
                ids = one.token_ids[: ends[first]]
                starts.append(
                    WrongStart(
                        problem=problem,
                        prefix=(*one.prompt_token_ids, *ids),
                        text=policy.tokenizer.decode(list(ids)),
                    )
                )
                break
    return starts[:n]


def recovered(policy: Policy, starts: Sequence[WrongStart], *, folder: Path) -> list[float]:
    """For each wrong start, the share of continuations that end right all the same."""

    async def recover() -> list[float]:
        async with opened(policy, folder) as (sampler, checker):

            async def one(start: WrongStart) -> float:
                drawn = await sampler.draw(
                    start.prefix,
                    n=CONTINUATIONS,
                    sampling=Sampling(temperature=1.0, seed=_SEED),
                    limits=Limits(max_tokens=LONGEST * max_tokens()),
                )
                verdicts = [
                    (
                        await checker.check(start.text + each.text, start.problem.golds, rule=source().answer_rule)
                    ).verdict
                    for each in drawn
                ]
                return fmean(verdict.is_right for verdict in verdicts)

            return _all(await run_recipe(one, starts, window=2 * IN_FLIGHT))

    shares = asyncio.run(recover())
    shutil.rmtree(folder / "ledger")
    return shares


def _all(done: Any) -> list[Any]:
    """The rows of an outcome; raises ValueError if the engine refused an item."""
    if done.failures:
        raise ValueError(f"{len(done.failures)} items were refused, first: {done.failures[0].message}")
    return list(done.rows)
