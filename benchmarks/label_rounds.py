"""Rounds of solutions whose first error is known, for `benchmarks.label_efficiency`, from the simulated policy.

`flat`: every right prefix has the problem's base rate as its value, every wrong prefix the recovery rate, and the first
error is planted at a uniformly drawn step. `rising`: the policy's own wrong solutions; the value rises along a right
prefix, and wrong steps recover partly. A round mixes base rates from 0.2 to 0.9, and no strategy knows the rates.
"""

import asyncio
import random
import tempfile
from dataclasses import dataclass

from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.protocol import Sampling
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.statement import MODULUS, SimulatedProblems, Statement
from generators.engine.simulated.vocabulary import EOS, FILLER_WORDS
from generators.records import Attempt, Problem
from generators.sampling.ledger import Ledger
from generators.sampling.runner import run_recipe
from generators.sampling.sampler import Sampler
from generators.search.prior_fit import Attempted

BASE_RATES = (0.2, 0.3, 0.5, 0.7, 0.9)
RECOVERY_RATES = (0.0, 0.02, 0.05, 0.1)
VARIANTS = ("flat", "rising")
N_ATTEMPTS = 16
MAX_TOKENS = 1000
SAMPLING = Sampling(temperature=1.0, seed=11)
WINDOW = 256


@dataclass(frozen=True, slots=True)
class Item:
    """A problem with its attempts, and the solution to search."""

    problem: Problem
    attempts: tuple[Attempt, ...]
    solution: Attempt


@dataclass(frozen=True, slots=True)
class Round:
    """The items of one variant and recovery rate; `tried` has every problem, solved or not."""

    variant: str
    recovery_rate: float
    items: tuple[Item, ...]
    tried: tuple[Attempted, ...]

    def policy(self) -> SimulatedPolicy:
        """A fresh engine with the round's law and counters at zero."""
        return policy(self.variant, self.recovery_rate)


def policy(variant: str, recovery_rate: float) -> SimulatedPolicy:
    """The simulated policy of a variant: solutions of 5 to 14 steps, including the boxed line."""
    law = SimulatedLaw(base_rates=BASE_RATES, recovery_rate=recovery_rate, late=variant == "flat")
    return SimulatedPolicy(law=law, problems=SimulatedProblems(min_steps=4, max_steps=13), keeps_log=False)


def make_round(variant: str, recovery_rate: float, n_problems: int, *, fillers: float = 0.0) -> Round:
    """Attempts at `n_problems` problems, with one wrong solution of each problem that has one.

    A planted solution has a geometric number of filler tokens, with mean `fillers`, in each step.
    """
    engine = policy(variant, recovery_rate)

    async def attempted() -> list[tuple[Attempt, ...]]:
        with tempfile.TemporaryDirectory() as folder, Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="simulated", engine=engine, tokenizer=engine.tokenizer, ledger=ledger)
            config = AttemptsConfig(n=N_ATTEMPTS, sampling=SAMPLING, max_tokens=MAX_TOKENS)
            done = await run_recipe(
                lambda problem: attempt(problem, sampler=sampler, checker=checker, rule=AnswerRule(), config=config),
                problems,
                window=WINDOW,
            )
            return list(done.rows)

    problems = [engine.problem(index) for index in range(n_problems)]
    items, tried = [], []
    for problem, attempts in zip(problems, asyncio.run(attempted()), strict=True):
        tried.append(Attempted(sum(attempt.verdict.is_right for attempt in attempts), len(attempts)))
        wrong = [attempt for attempt in attempts if attempt.verdict is Verdict.DIFFERENT]
        if variant == "flat":
            items.append(Item(problem, attempts, planted(engine, problem, attempts[0], fillers=fillers)))
        elif wrong:
            items.append(Item(problem, attempts, wrong[0]))
    return Round(variant, recovery_rate, tuple(items), tuple(tried))


def planted(engine: SimulatedPolicy, problem: Problem, like: Attempt, *, fillers: float = 0.0) -> Attempt:
    """A solution of `problem` that is right up to a uniformly drawn step, and wrong from there on."""
    draw = random.Random(problem.problem_id)
    statement = Statement.find(problem.prompt)
    assert statement is not None
    first = draw.randrange(len(statement.addends) + 1)  # the last one is the boxed line
    offset = draw.randrange(1, MODULUS)
    lines = []
    for step, addend in enumerate(statement.addends):
        total = (statement.totals[step + 1] + (offset if step >= first else 0)) % MODULUS
        words = ""
        while draw.random() < fillers / (fillers + 1):
            words += draw.choice(FILLER_WORDS)
        lines.append(f"Adding {addend}{words} gives {total}\n")
    total = (statement.answer + offset) % MODULUS
    text = "".join(lines) + f"\\boxed{{{total}}}"
    token_ids = (*engine.tokenizer.encode(text), EOS)
    return Attempt(
        problem_id=problem.problem_id,
        attempt_index=N_ATTEMPTS,
        prompt_token_ids=like.prompt_token_ids,
        token_ids=token_ids,
        text=text,
        finish_reason="eos",
        verdict=Verdict.DIFFERENT,
        extracted=str(total),
    )
