"""Wrong solutions of the simulated policy whose critical token is known, and what it takes to search them."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.critical_token_pairs.tokens.paths import wrong_step
from generators.engine.protocol import Sampling
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.vocabulary import VALUES
from generators.process_labels.recipe import ProcessLabelsConfig, label
from generators.process_labels.settings import Settings
from generators.records import Attempt, LabelledSolution, Problem
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from generators.search.rollouts import Rollouts
from generators.search.sequential_test import SequentialTest
from generators.search.tree import Tree

LAW = Sampling(seed=3)
MAX_TOKENS = 600


@dataclass(frozen=True)
class Wrong:
    """A wrong attempt with its labels; `critical` is the total that goes wrong, `step` the tokens of its step."""

    problem: Problem
    solution: Attempt
    tree: Tree
    labelled: LabelledSolution
    critical: int

    @property
    def step(self) -> tuple[int, int] | None:
        return wrong_step(self.labelled)


def wrong_solution(policy: SimulatedPolicy, nth: int = 0) -> Wrong:
    """The first wrong attempt at the first problem from `nth` on that has one behind its first step."""
    with tempfile.TemporaryDirectory() as folder, Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
        sampler = Sampler(policy="simulated", engine=policy, tokenizer=policy.tokenizer, ledger=ledger)
        return asyncio.run(_found(policy, nth, {"sampler": sampler, "checker": checker, "rule": AnswerRule()}))


async def _found(policy: SimulatedPolicy, nth: int, hands: dict) -> Wrong:
    config = AttemptsConfig(n=16, sampling=LAW, max_tokens=MAX_TOKENS)
    labels = ProcessLabelsConfig(sampling=LAW, max_tokens=MAX_TOKENS, settings=Settings())
    while True:
        problem = policy.problem(nth)
        attempts = await attempt(problem, config=config, **hands)
        for one in attempts:
            if one.verdict is Verdict.DIFFERENT and (critical := first_wrong_total(policy, one)) > 10:
                strategy = SequentialTest()
                made = await label(problem, attempts, [one], config=labels, strategy=strategy, **hands)
                return Wrong(problem, one, made.tree, made.solutions[0], critical)
        nth += 1


def first_wrong_total(policy: SimulatedPolicy, solution: Attempt) -> int:
    """The position of the first total that is not the true one."""
    prompt, response = solution.prompt_token_ids, solution.token_ids
    for position, token_id in enumerate(response):
        if token_id in VALUES and policy.first_error(prompt + response[: position + 1]) is not None:
            return position
    raise AssertionError(f"no wrong total in {solution.text!r}")


@contextmanager
def tools(folder, policy: SimulatedPolicy, case: Wrong) -> Iterator[tuple[Rollouts, dict, Sampler]]:
    """Rollouts over the case's labels, what recipes are handed, and their sampler, over a ledger in `folder`."""
    with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
        sampler = Sampler(policy="simulated", engine=policy, tokenizer=policy.tokenizer, ledger=ledger)
        hands = {"tree": case.tree, "sampler": sampler, "checker": checker, "rule": AnswerRule()}
        yield Rollouts(problem=case.problem, sampling=LAW, max_tokens=MAX_TOKENS, **hands), hands, sampler
