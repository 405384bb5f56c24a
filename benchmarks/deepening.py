"""What a trigger buys: pass rate against generated tokens, with and without iterative deepening.

Plain samples, ID-sampling (triggers behind unfinished responses), and ID-sampling with triggers behind finished ones
too. With the same tokens a problem, whole samples are taken in the order of their index while they fit, and the
majority of their answers or the best of them by the verifier (pass@N) counts; beside it stands one sample alone (the
mean over the first four). Triggers are read, not generated: what the engine has to read with and without a prefix cache
stands under `prefill`, where `engine_computed` is what it really computed (the attempts' part of a response comes from
the ledger and is not sent; the simulated cache keeps prompts only).

By default on the simulated policy, whose law says how often a trigger mends a wrong answer or breaks a right one. With
`--real` on the warmed-up policy (`make policy`) through a real vLLM server; all rollouts are kept below `--folder`, and
a run that was cut off goes on where it was. The last line is JSON: a key per method with `pass_rate` and `tokens`.
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
from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.fleet import Fleet, FleetSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Engine, Sampling
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
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
from generators.self_correction_traces.aggregation import by_majority, by_verifier
from generators.self_correction_traces.budgets import success_by_budget
from generators.self_correction_traces.corrections import transitions
from generators.self_correction_traces.deepening import IdSamplingConfig, deepen
from generators.self_correction_traces.prefill import prefill
from generators.self_correction_traces.records import DeepenedResponse
from generators.self_correction_traces.table import attempt_outcomes, deepened_outcomes

IN_FLIGHT = 64
FIRST_SAMPLES, MOST_SAMPLES = 4, 64
CONTEXT = 1024
SIMULATED = IdSamplingConfig(
    n=FIRST_SAMPLES, sampling=Sampling(temperature=1.0, seed=5), max_tokens=1000, counts="segment", max_triggers=2
)
REAL = IdSamplingConfig(
    n=FIRST_SAMPLES,
    sampling=Sampling(temperature=0.8, seed=1),
    max_tokens=384,
    first_budget=48,
    max_budget=192,
    max_triggers=2,
)

Sample = Attempt | DeepenedResponse
Draw = Callable[[Problem, int], Coroutine[Any, Any, Sequence[Sample]]]


@dataclass(frozen=True, slots=True)
class Bench:
    """What it takes to sample and verify; `pool` knows what the engine read and wrote."""

    sampler: Sampler
    checker: AnswerChecker
    pool: Pool
    config: IdSamplingConfig

    async def plain(self, problem: Problem, n: int) -> tuple[Attempt, ...]:
        """Attempts 0 to `n - 1`."""
        config = AttemptsConfig(n=n, sampling=self.config.sampling, max_tokens=self.config.max_tokens)
        return await attempt(problem, sampler=self.sampler, checker=self.checker, rule=AnswerRule(), config=config)

    async def deepened(self, problem: Problem, n: int, *, finished: bool) -> tuple[DeepenedResponse, ...]:
        """Deepened responses 0 to `n - 1`."""
        config = replace(self.config, n=n, triggers_finished=finished)
        return await deepen(problem, sampler=self.sampler, checker=self.checker, rule=AnswerRule(), config=config)

    async def unfinished(self, problem: Problem, n: int) -> tuple[DeepenedResponse, ...]:
        """The paper's variant."""
        return await self.deepened(problem, n, finished=False)

    async def all_triggered(self, problem: Problem, n: int) -> tuple[DeepenedResponse, ...]:
        """Finished responses are asked again too."""
        return await self.deepened(problem, n, finished=True)


def cost(sample: Sample) -> int:
    """The tokens that were generated for a sample."""
    return len(sample.token_ids) if isinstance(sample, Attempt) else sample.boundaries[-1].generated


def affordable(samples: Sequence[Sample], tokens: int) -> Sequence[Sample]:
    """The first samples that `tokens` pay for together."""
    spent = accumulate(cost(sample) for sample in samples)
    return samples[: sum(total <= tokens for total in spent)]


async def enough(draw: Draw, problem: Problem, *, tokens: int) -> Sequence[Sample]:
    """Samples that cost at least `tokens` together, or as many as there may be."""
    n = FIRST_SAMPLES
    while True:
        samples = await draw(problem, n)
        if n >= MOST_SAMPLES or sum(map(cost, samples)) >= tokens:
            return samples
        n += FIRST_SAMPLES


def passed(chosen: Sequence[Sample | None]) -> float:
    """The share of right ones; no sample at all is not right."""
    return sum(one is not None and one.verdict.is_right for one in chosen) / len(chosen)


def rates(way: str, drawn: Sequence[Sequence[Sample]], tokens: int) -> dict[str, dict[str, float]]:
    """Pass rate and tokens of one sample alone, and a problem's of majority and best of N within `tokens`."""
    alone = first_ones(drawn)
    afforded = [affordable(samples, tokens) for samples in drawn]
    spent = sum(cost(sample) for samples in afforded for sample in samples) / len(drawn)
    prefix = "" if way == "plain" else f"{way}_"
    return {
        way: {"pass_rate": passed(alone), "tokens": sum(map(cost, alone)) / len(alone)},
        f"{prefix}majority": {"pass_rate": passed([by_majority(samples) for samples in afforded]), "tokens": spent},
        f"{prefix}best_of_n": {"pass_rate": passed([by_verifier(samples) for samples in afforded]), "tokens": spent},
    }


def first_ones(drawn: Sequence[Sequence[Sample]]) -> list[Sample]:
    """As many samples of every problem, however many it was drawn."""
    return [sample for samples in drawn for sample in samples[:FIRST_SAMPLES]]


async def compared(bench: Bench, problems: Sequence[Problem], budgets: Sequence[int]) -> dict[str, Any]:
    """Every method at every budget of tokens a problem."""
    ways: dict[str, Draw] = {
        "plain": bench.plain,
        "id_sampling": bench.unfinished,
        "id_sampling_finished": bench.all_triggered,
    }
    drawn: dict[str, list[Sequence[Sample]]] = {}
    reading: dict[str, dict[str, float]] = {}
    for way, draw in ways.items():
        before = bench.pool.usage
        recipe = partial(enough, draw, tokens=max(budgets))
        done = await run_recipe(recipe, problems, window=IN_FLIGHT, on_done=partial(_say, way))
        for refused in done.failures:
            print(f"{way}: {refused.message}", file=sys.stderr)
        drawn[way] = list(done.rows)
        read = bench.pool.usage.prompt - before.prompt
        reading[way] = {"engine_read": read, "engine_computed": read - bench.pool.usage.cached + before.cached}
    responses = {way: _deepened(drawn[way]) for way in ways if way != "plain"}
    for way, ones in responses.items():
        counted = prefill(ones)
        reading[way] |= {**asdict(counted), "saved": round(counted.saved, 4)}
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
            way: {f"{before} to {after}": n for (before, after), n in sorted(transitions(ones).items())}
            for way, ones in responses.items()
        },
        "prefill": reading,
    }


def _deepened(drawn: Sequence[Sequence[Sample]]) -> list[DeepenedResponse]:
    return [one for samples in drawn for one in samples if isinstance(one, DeepenedResponse)]


def _success(drawn: Mapping[str, Sequence[Sequence[Sample]]], config: IdSamplingConfig) -> dict[str, dict[int, float]]:
    """Pass rate against tokens a sample, its answer read at its boundaries."""
    looks = [
        deepened_outcomes(_deepened([first_ones(samples)]), method=way)
        if way != "plain"
        else attempt_outcomes(one for one in first_ones(samples) if isinstance(one, Attempt))
        for way, samples in drawn.items()
    ]
    budgets = sorted({*config.budgets, 2 * config.max_budget, config.max_tokens})
    found: dict[str, dict[int, float]] = {way: {} for way in drawn}
    for row in success_by_budget(pl.concat(looks), budgets).iter_rows(named=True):
        found[row["method"]][row["budget"]] = round(row["pass_rate"], 4)
    return found


def _say(what: str, done: int, total: int) -> None:
    print(f"{what}: {done} of {total}", file=sys.stderr, flush=True)


@asynccontextmanager
async def opened(
    engine: Engine, folder: Path, *, policy: str, tokenizer: Tokenizer, config: IdSamplingConfig, context: int | None
) -> AsyncIterator[Bench]:
    """Pool, ledger, checker and sampler around an engine."""
    pool = Pool(engine, capacity=IN_FLIGHT, settings=RetrySettings())
    with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
        sampler = Sampler(policy=policy, engine=pool, tokenizer=tokenizer, ledger=ledger, context=context)
        yield Bench(sampler, checker, pool, config)


async def on_the_simulated_policy(options: argparse.Namespace) -> dict[str, Any]:
    """Compare on problems of 5 to 14 steps, under the law that the options name."""
    law = SimulatedLaw(mend_rate=options.mend_rate, break_rate=options.break_rate)
    policy = SimulatedPolicy(law=law, keeps_log=False, cache_block=16)
    problems = [policy.problem(index) for index in range(options.problems or 200)]
    with tempfile.TemporaryDirectory() as folder:
        bench = opened(
            policy, Path(folder), policy="simulated", tokenizer=policy.tokenizer, config=SIMULATED, context=None
        )
        async with bench as ready:
            return await compared(ready, problems, options.tokens)


async def on_the_real_policy(options: argparse.Namespace) -> dict[str, Any]:
    """Serve the warmed-up policy and compare on problems that it was not warmed up on."""
    policy = identify(WARMED_UP)
    options.folder.mkdir(parents=True, exist_ok=True)
    settings = ServerSettings(model=policy.model, dtype="float32", max_model_len=CONTEXT, max_sequences=IN_FLIGHT)
    server = LocalServer(settings, log_path=options.folder / "server.log")
    server.start(lambda line: print(line, file=sys.stderr))
    try:
        client = VLLMClient(server.url, model=server.model_name, settings=ClientSettings())
        async with (
            Fleet([Worker(client=client, server=server)], FleetSettings()) as fleet,
            opened(
                fleet,
                options.folder / "ledger" / policy.name,
                policy=policy.name,
                tokenizer=policy.tokenizer,
                config=REAL,
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
    arguments.add_argument("--real", action="store_true", help="the warmed-up policy through vLLM")
    arguments.add_argument("--folder", type=Path, default=Path("data/benchmarks/deepening"))
    arguments.add_argument("--problems", type=int, help="200 simulated ones, 40 real ones when not given")
    arguments.add_argument("--tokens", type=int, nargs="+", default=[250, 500, 1000], help="budgets a problem")
    arguments.add_argument("--mend-rate", type=float, default=0.1, help="of the simulated law")
    arguments.add_argument("--break-rate", type=float, default=0.02, help="of the simulated law")
    options = arguments.parse_args()
    found = asyncio.run(on_the_real_policy(options) if options.real else on_the_simulated_policy(options))
    for tokens, figures in found["curve_by_tokens_a_problem"].items():
        for name, figure in figures.items():
            print(f"{tokens:>6} {name:32} {figure['pass_rate']:.3f} {figure['tokens']:8.1f}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
