"""Measures the CPU time and memory of the search itself: attempts and labels on an engine without latency.

The simulated policy answers at once, in this process. The last line is JSON. `rollouts_per_s` counts attempts and label
rollouts over the wall time minus the engine's drawing time. What remains is ours: sampler, ledger (written to disk),
answer checking, trees and strategies. `with_engine_per_s` is over the full time, `engine_share` is the engine's share
of it, and `peak_rss_mb` is the process's memory.
"""

import argparse
import asyncio
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Generation, Request, Sampling
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.slots import Slots
from generators.process_labels.recipe import ProcessLabelsConfig, label
from generators.process_labels.settings import Settings
from generators.records import Problem
from generators.sampling.ledger import Ledger
from generators.sampling.runner import run_recipe
from generators.sampling.sampler import Sampler
from generators.search.exhaustive import Exhaustive
from generators.search.sequential_test import SequentialTest
from generators.search.strategy import Strategy

SAMPLING = Sampling(temperature=1.0, seed=5)
MAX_TOKENS = 1000
IN_FLIGHT = 512
STRATEGIES: dict[str, Strategy] = {
    "exhaustive": Exhaustive(rollouts_per_step=8),
    "sequential_test": SequentialTest(),
}


class Timed:
    """Wraps an engine and adds up the seconds that it takes to draw."""

    def __init__(self, engine: SimulatedPolicy) -> None:
        self._engine = engine
        self.seconds = 0.0

    async def generate(self, request: Request) -> Generation:
        """Generate with the wrapped engine; it never awaits, so the wall time is its own."""
        began = time.perf_counter()
        generation = await self._engine.generate(request)
        self.seconds += time.perf_counter() - began
        return generation


async def solved(problems: Sequence[Problem], policy: SimulatedPolicy, strategy: Strategy, folder: Path) -> float:
    """Attempt and label every problem; returns the seconds spent in the engine."""
    engine = Timed(policy)
    pool = Pool(engine, Slots(IN_FLIGHT), settings=RetrySettings())
    attempts = AttemptsConfig(n=16, sampling=SAMPLING, max_tokens=MAX_TOKENS)
    labels = ProcessLabelsConfig(sampling=SAMPLING, max_tokens=MAX_TOKENS, settings=Settings())
    with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
        sampler = Sampler(policy="simulated", engine=pool, tokenizer=policy.tokenizer, ledger=ledger)

        async def solve(problem: Problem) -> int:
            tried = await attempt(problem, sampler=sampler, checker=checker, rule=AnswerRule(), config=attempts)
            wrong = [row for row in tried if row.verdict is Verdict.DIFFERENT][:1]
            done = await label(
                problem,
                tried,
                wrong or tried[:1],
                sampler=sampler,
                checker=checker,
                rule=AnswerRule(),
                config=labels,
                strategy=strategy,
            )
            return len(done.solutions)

        await run_recipe(solve, problems, window=IN_FLIGHT)
    return engine.seconds


def main() -> None:
    """Run slice after slice, and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--problems", type=int, default=20_000)
    arguments.add_argument(
        "--slices", type=int, default=10, help="number of slices, each with its own ledger as in a round"
    )
    arguments.add_argument("--strategy", choices=list(STRATEGIES), default="exhaustive")
    options = arguments.parse_args()
    policy = SimulatedPolicy(keeps_log=False)
    size = options.problems // options.slices
    began, drawing = time.perf_counter(), 0.0
    for number in range(options.slices):
        problems = [policy.problem(index) for index in range(number * size, (number + 1) * size)]
        with tempfile.TemporaryDirectory() as folder:
            drawing += asyncio.run(solved(problems, policy, STRATEGIES[options.strategy], Path(folder)))
        rollouts, seconds = policy.counts.sequences, time.perf_counter() - began
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"slice {number + 1}: {rollouts} rollouts, {rollouts / seconds:.0f} a second, {rss:.0f} MB", flush=True)
    figures = {
        "rollouts_per_s": round(rollouts / (seconds - drawing), 1),
        "with_engine_per_s": round(rollouts / seconds, 1),
        "peak_rss_mb": round(rss, 1),
        "rollouts": rollouts,
        "problems": size * options.slices,
        "strategy": options.strategy,
        "engine_share": round(drawing / seconds, 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
