"""How much of a core and of memory the search itself takes: attempts and labels over an engine without latency.

The simulated policy answers at once and in process. The last line is JSON: `rollouts_per_s` counts attempts and label
rollouts over the wall time of one process less what the engine took to draw them; what is left is ours: sampler, ledger
(written to disk), answer checking, trees, strategies. `with_engine_per_s` is the same over all of the time,
`engine_share` the engine's part of it, `peak_rss_mb` the process's memory.
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
from generators.process_labels.recipe import ProcessLabelsConfig, label
from generators.records import Problem
from generators.sampling.ledger import Ledger
from generators.sampling.runner import run_recipe
from generators.sampling.sampler import Sampler
from generators.search.exhaustive import Exhaustive
from generators.search.sequential_test import SequentialTest
from generators.search.strategy import Strategy

LAW = Sampling(temperature=1.0, seed=5)
MAX_TOKENS = 1000
IN_FLIGHT = 512
STRATEGIES: dict[str, Strategy] = {
    "exhaustive": Exhaustive(rollouts_per_step=8),
    "sequential_test": SequentialTest(),
}


class Timed:
    """An engine that adds up the seconds that another one takes to draw."""

    def __init__(self, engine: SimulatedPolicy) -> None:
        self._engine = engine
        self.seconds = 0.0

    async def generate(self, request: Request) -> Generation:
        """What the other engine gives; it never waits, so its wall time is its own."""
        began = time.perf_counter()
        generation = await self._engine.generate(request)
        self.seconds += time.perf_counter() - began
        return generation


async def solved(problems: Sequence[Problem], policy: SimulatedPolicy, strategy: Strategy, folder: Path) -> float:
    """Attempt and label every problem; gives the seconds that the engine took."""
    engine = Timed(policy)
    pool = Pool(engine, capacity=IN_FLIGHT, settings=RetrySettings())
    attempts = AttemptsConfig(n=16, sampling=LAW, max_tokens=MAX_TOKENS)
    labels = ProcessLabelsConfig(sampling=LAW, max_tokens=MAX_TOKENS)
    with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
        sampler = Sampler(policy="simulated", engine=pool, tokenizer=policy.tokenizer, ledger=ledger)

        async def one(problem: Problem) -> int:
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

        await run_recipe(one, problems, window=IN_FLIGHT)
    return engine.seconds


def main() -> None:
    """Solve slice after slice, and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--problems", type=int, default=20_000)
    arguments.add_argument("--slices", type=int, default=10, help="each has a ledger of its own, as in a round")
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
