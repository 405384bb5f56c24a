"""Compares pass rate per generated token with and without iterative deepening (ID-sampling).

The methods are plain sampling, ID-sampling with triggers after unfinished responses only, and ID-sampling as the
product does it, with triggers after finished responses too. The settings are the product's, except those that this file
varies and gives a reason for. On the simulated policy few solutions reach the product's first budget; `--first-budget`
lowers it.

Each method may spend the same number of tokens per problem and takes whole samples in index order while they fit. The
figures are the majority answer, the best sample by the verifier (pass@N), and a single sample (the mean over the first
four). The engine reads triggers and does not generate them. `prefill` has the prompt tokens with and without a prefix
cache, and `engine_computed` those that the engine really computed. The part of a response that is an attempt comes from
the ledger and is not sent; the simulated cache keeps prompts only.

By default this runs on the simulated policy, whose law sets how often a trigger mends a wrong answer or breaks a right
one. With `--real` it runs on the warmed-up policy (`make policy`) through a real vLLM server; all rollouts are stored
in `--folder`, and an interrupted run resumes there. The last line is JSON: a key per method with `pass_rate` and
`tokens`.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import polars as pl
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.fleet import Fleet, FleetSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Engine, Sampling
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.slots import Slots
from generators.engine.tokenizer import Tokenizer
from generators.engine.worker import Worker
from generators.models.policy import WARMED_UP, identify
from generators.problems.loading import load_problems
from generators.problems.multi_step import MultiStepProblems
from generators.problems.table import problems_of
from generators.records import Attempt, Problem
from generators.sampling.ledger import Ledger
from generators.sampling.runner import run_recipe
from generators.sampling.sampler import Sampler
from generators.section import merged
from generators.self_correction_traces.aggregation import by_majority, by_verifier
from generators.self_correction_traces.budgets import success_by_budget
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.corrections import transitions
from generators.self_correction_traces.deepening import deepen
from generators.self_correction_traces.prefill import prefill
from generators.self_correction_traces.records import DeepenedResponse
from generators.self_correction_traces.settings import Settings
from generators.self_correction_traces.table import attempt_outcomes, deepened_outcomes

IN_FLIGHT = 64
FIRST_SAMPLES, MOST_SAMPLES = 4, 64
CONTEXT = 1024
# The simulated tokenizer spends a token on every letter of a trigger, so a budget counts the newest segment.
SIMULATED = SelfCorrectionConfig(
    settings=Settings(counts="segment"),
    sampling=Sampling(temperature=1.0, seed=5),
    attempt_tokens=1000,
    seed=0,
)
# Solutions of the warmed-up policy are shorter than the first budget of the product.
REAL = SelfCorrectionConfig(
    settings=Settings(first_budget=48, max_budget=192),
    sampling=Sampling(temperature=0.8, seed=1),
    attempt_tokens=384,
    seed=0,
)

Sample = Attempt | DeepenedResponse
Draw = Callable[[Problem, int], Coroutine[Any, Any, Sequence[Sample]]]


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything needed to sample and verify; `pool` counts the engine's tokens."""

    sampler: Sampler
    checker: AnswerChecker
    pool: Pool
    config: SelfCorrectionConfig

    async def without_triggers(self, problem: Problem, n: int) -> tuple[Attempt, ...]:
        """Attempts 0 to `n - 1`."""
        config = AttemptsConfig(n=n, sampling=self.config.sampling, max_tokens=self.config.attempt_tokens)
        return await attempt(problem, sampler=self.sampler, checker=self.checker, rule=AnswerRule(), config=config)

    async def deepened(self, problem: Problem, n: int, *, finished: bool) -> tuple[DeepenedResponse, ...]:
        """Deepened responses 0 to `n - 1`."""
        settings = merged(self.config.settings, {"samples": n, "triggers_finished": finished})
        config = replace(self.config, settings=settings)
        return await deepen(problem, sampler=self.sampler, checker=self.checker, rule=AnswerRule(), config=config)

    async def unfinished(self, problem: Problem, n: int) -> tuple[DeepenedResponse, ...]:
        """The paper's variant: triggers after unfinished responses only."""
        return await self.deepened(problem, n, finished=False)

    async def all_triggered(self, problem: Problem, n: int) -> tuple[DeepenedResponse, ...]:
        """The product's variant: triggers after finished responses too."""
        return await self.deepened(problem, n, finished=True)


def cost(sample: Sample) -> int:
    """The tokens generated for a sample."""
    return len(sample.token_ids) if isinstance(sample, Attempt) else sample.boundaries[-1].generated


def affordable(samples: Sequence[Sample], tokens: int) -> Sequence[Sample]:
    """The first samples that fit into `tokens` together."""
    spent = accumulate(cost(sample) for sample in samples)
    return samples[: sum(total <= tokens for total in spent)]


async def enough(draw: Draw, problem: Problem, *, tokens: int) -> Sequence[Sample]:
    """Draw samples until they cost at least `tokens` together, or up to `MOST_SAMPLES`."""
    n = FIRST_SAMPLES
    while True:
        samples = await draw(problem, n)
        if n >= MOST_SAMPLES or sum(map(cost, samples)) >= tokens:
            return samples
        n += FIRST_SAMPLES


def passed(chosen: Sequence[Sample | None]) -> float:
    """The share of right samples; a missing sample counts as wrong."""
    return sum(sample is not None and sample.verdict.is_right for sample in chosen) / len(chosen)


def rates(way: str, drawn: Sequence[Sequence[Sample]], tokens: int) -> dict[str, dict[str, float]]:
    """Pass rate and tokens per problem of a single sample, and of majority and best of N within `tokens`."""
    singles = first_samples(drawn)
    affordable_samples = [affordable(samples, tokens) for samples in drawn]
    spent = sum(cost(sample) for samples in affordable_samples for sample in samples) / len(drawn)
    prefix = "" if way == "plain" else f"{way}_"
    return {
        way: {"pass_rate": passed(singles), "tokens": sum(map(cost, singles)) / len(singles)},
        f"{prefix}majority": {
            "pass_rate": passed([by_majority(samples) for samples in affordable_samples]),
            "tokens": spent,
        },
        f"{prefix}best_of_n": {
            "pass_rate": passed([by_verifier(samples) for samples in affordable_samples]),
            "tokens": spent,
        },
    }


def first_samples(drawn: Sequence[Sequence[Sample]]) -> list[Sample]:
    """The first samples of every problem, equally many of each."""
    return [sample for samples in drawn for sample in samples[:FIRST_SAMPLES]]


async def compared(bench: Bench, problems: Sequence[Problem], budgets: Sequence[int]) -> dict[str, Any]:
    """Every method at every token budget per problem."""
    ways: dict[str, Draw] = {
        "plain": bench.without_triggers,
        "id_sampling": bench.unfinished,
        "id_sampling_finished": bench.all_triggered,
    }
    drawn: dict[str, list[Sequence[Sample]]] = {}
    reading: dict[str, dict[str, float]] = {}
    for way, draw in ways.items():
        before = bench.pool.usage
        recipe = partial(enough, draw, tokens=max(budgets))
        done = await run_recipe(recipe, problems, window=IN_FLIGHT, on_done=partial(_say, way))
        for failure in done.failures:
            print(f"{way}: {failure.message}", file=sys.stderr)
        drawn[way] = list(done.rows)
        n_read = bench.pool.usage.prompt - before.prompt
        reading[way] = {"engine_read": n_read, "engine_computed": n_read - bench.pool.usage.cached + before.cached}
    responses = {way: _deepened(drawn[way]) for way in ways if way != "plain"}
    for way, deepened in responses.items():
        counts = prefill(deepened)
        reading[way] |= {**asdict(counts), "saved": round(counts.saved, 4)}
    curve = {
        str(budget): {name: figures for way in ways for name, figures in rates(way, drawn[way], budget).items()}
        for budget in sorted(budgets)
    }
    return {
        **curve[str(max(budgets))],
        "problems": len(problems),
        "curve_by_tokens_a_problem": curve,
        "success_by_tokens_a_sample": _success(drawn, bench.config),
        "transitions": {
            way: {f"{before} to {after}": n for (before, after), n in sorted(transitions(deepened).items())}
            for way, deepened in responses.items()
        },
        "prefill": reading,
    }


def _deepened(drawn: Sequence[Sequence[Sample]]) -> list[DeepenedResponse]:
    return [sample for samples in drawn for sample in samples if isinstance(sample, DeepenedResponse)]


def _success(
    drawn: Mapping[str, Sequence[Sequence[Sample]]], config: SelfCorrectionConfig
) -> dict[str, dict[int, float]]:
    """Pass rate by tokens per sample, reading the answer at every segment boundary."""
    outcomes = [
        deepened_outcomes(_deepened([first_samples(samples)]), method=method)
        if method != "plain"
        else attempt_outcomes(sample for sample in first_samples(samples) if isinstance(sample, Attempt))
        for method, samples in drawn.items()
    ]
    rates_by_budget: dict[str, dict[int, float]] = {method: {} for method in drawn}
    for row in success_by_budget(pl.concat(outcomes), sorted({*config.budgets, config.max_tokens})).iter_rows(
        named=True
    ):
        rates_by_budget[row["method"]][row["budget"]] = round(row["pass_rate"], 4)
    return rates_by_budget


def _say(what: str, done: int, total: int) -> None:
    print(f"{what}: {done} of {total}", file=sys.stderr, flush=True)


@asynccontextmanager
async def opened(
    engine: Engine,
    folder: Path,
    *,
    policy: str,
    tokenizer: Tokenizer,
    config: SelfCorrectionConfig,
    context: int | None,
) -> AsyncIterator[Bench]:
    """Pool, ledger, checker and sampler around an engine."""
    pool = Pool(engine, Slots(IN_FLIGHT), settings=RetrySettings())
    with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
        sampler = Sampler(policy=policy, engine=pool, tokenizer=tokenizer, ledger=ledger, context=context)
        yield Bench(sampler, checker, pool, config)


def with_options(config: SelfCorrectionConfig, options: argparse.Namespace) -> SelfCorrectionConfig:
    """The config with the first budget from the command line."""
    if options.first_budget is None:
        return config
    return replace(config, settings=merged(config.settings, {"first_budget": options.first_budget}))


async def on_the_simulated_policy(options: argparse.Namespace) -> dict[str, Any]:
    """Compare on problems of 5 to 14 steps, under the simulated law set by the options."""
    config = with_options(SIMULATED, options)
    law = SimulatedLaw(mend_rate=options.mend_rate, break_rate=options.break_rate)
    policy = SimulatedPolicy(law=law, keeps_log=False, cache_block=16)
    problems = [policy.problem(index) for index in range(options.problems or 200)]
    with tempfile.TemporaryDirectory() as folder:
        opening = opened(
            policy, Path(folder), policy="simulated", tokenizer=policy.tokenizer, config=config, context=None
        )
        async with opening as bench:
            return await compared(bench, problems, options.tokens)


async def on_the_real_policy(options: argparse.Namespace) -> dict[str, Any]:
    """Serve the warmed-up policy, and compare on problems outside its training set."""
    config = with_options(REAL, options)
    policy = identify(WARMED_UP)
    options.folder.mkdir(parents=True, exist_ok=True)
    settings = ServerSettings(model=policy.model, dtype="float32", max_model_len=CONTEXT, max_sequences=IN_FLIGHT)
    server = LocalServer(settings, log_path=options.folder / "server.log")
    server.start(lambda line: print(line, file=sys.stderr))
    try:
        client = server.client()
        async with (
            Fleet([Worker(client=client, server=server)], FleetSettings()) as fleet,
            opened(
                fleet,
                options.folder / "ledger" / policy.name,
                policy=policy.name,
                tokenizer=policy.tokenizer,
                config=config,
                context=CONTEXT,
            ) as bench,
        ):
            source = MultiStepProblems(name="multi_step", size=options.problems or 40, seed=3)
            problems = problems_of((await load_problems(source, checker=bench.checker)).kept)
            return await compared(bench, problems, options.tokens)
    finally:
        server.stop()


def main() -> None:
    """Compare, and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--real", action="store_true", help="use the warmed-up policy through vLLM")
    arguments.add_argument("--folder", type=Path, default=Path("data/benchmarks/deepening"))
    arguments.add_argument("--problems", type=int, help="default 200 simulated or 40 real problems")
    arguments.add_argument("--tokens", type=int, nargs="+", default=[250, 500, 1000], help="token budgets per problem")
    arguments.add_argument("--first-budget", type=int, help="tokens before the first trigger; default from settings")
    arguments.add_argument("--mend-rate", type=float, default=0.1, help="of the simulated law")
    arguments.add_argument("--break-rate", type=float, default=0.02, help="of the simulated law")
    options = arguments.parse_args()
    comparison = asyncio.run(on_the_real_policy(options) if options.real else on_the_simulated_policy(options))
    for tokens, figures in comparison["curve_by_tokens_a_problem"].items():
        for name, figure in figures.items():
            print(f"{tokens:>6} {name:32} {figure['pass_rate']:.3f} {figure['tokens']:8.1f}")
    print(json.dumps(comparison))


if __name__ == "__main__":
    main()
