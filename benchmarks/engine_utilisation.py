"""Measures how full our pool keeps a real vLLM engine, against three other ways to run the same rollouts.

The rollouts (policy, prefixes, seeds, length limits; float32) run in four ways, compared as ratios:

- raw: vLLM offline with every rollout queued before the first step (the ceiling), run before and after the others;
- ours: sampler, ledger, pool, client and HTTP server, as in a run;
- lockstep: batches as wide as the engine, each waiting for its longest rollout;
- serial: one problem's rollouts at a time, like a search that expands one node after the other.

Lengths have a long tail: each rollout ends by itself or at a limit drawn from a lognormal distribution. The last line
is JSON.
"""

import argparse
import asyncio
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path

from upath import UPath

from generators.engine.embedded import embedded_model
from generators.engine.fleet import Fleet, FleetSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Limits, Request, Sampling
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
from generators.engine.slots import Slots
from generators.engine.tokenizer import HFTokenizer
from generators.engine.worker import Worker
from generators.problems import prompt as solve
from generators.sampling.ledger import Ledger, LedgerKey
from generators.sampling.sampler import Sampler, rollout_seed
from generators.sampling.tasks import gather

POLICY = "benchmark"
SAMPLING = Sampling(temperature=1.0)


@dataclass(frozen=True, slots=True)
class Job:
    """One rollout: its problem, index, prefix, token limit and seed."""

    problem: int
    index: int
    prefix: tuple[int, ...]
    max_tokens: int
    seed: int


def jobs(tokenizer: HFTokenizer, *, problems: int, rollouts: int, median: int, most: int) -> list[Job]:
    """`rollouts` jobs for each of `problems` problems; token limits are lognormal with `median`, capped at `most`."""
    draw = random.Random(0)
    work = []
    for problem in range(problems):
        terms = " + ".join(str(draw.randint(1, 20)) for _ in range(3))
        prefix = tokenizer.chat(solve.messages(f"Ann counts {terms} apples. Explain at length how many that makes."))
        digest = LedgerKey(policy=POLICY, prefix=prefix, sampling=SAMPLING).digest()
        for index in range(rollouts):
            limit = min(most, max(8, round(median * math.exp(draw.gauss(0, 1)))))
            work.append(Job(problem, index, prefix, limit, rollout_seed(digest, index, 0)))
    return work


def raw(work: Sequence[Job], *, model: Path, width: int) -> tuple[int, float]:
    """Tokens and seconds of vLLM offline with everything queued at once, in a separate process."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "jobs.json"
        rollouts = [
            {"prefix": job.prefix, "seed": job.seed, "max_tokens": job.max_tokens, "temperature": SAMPLING.temperature}
            for job in work
        ]
        file.write_text(json.dumps([rollouts]))
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "benchmarks.offline_engine", str(file), str(result), str(model), str(width)]
        subprocess.run(command, stdout=sys.stderr, check=True)
        ((tokens, seconds),) = json.loads(result.read_text())
    return int(tokens), float(seconds)


async def ours(work: Sequence[Job], pool: Pool, tokenizer: HFTokenizer) -> int:
    """Run everything through sampler and ledger, all problems at once; returns the number of tokens."""
    with tempfile.TemporaryDirectory() as folder, Ledger(UPath(folder)) as ledger:
        sampler = Sampler(policy=POLICY, engine=pool, tokenizer=tokenizer, ledger=ledger)

        async def run_job(job: Job) -> int:
            limits = Limits(max_tokens=job.max_tokens)
            (rollout,) = await sampler.draw(job.prefix, n=1, start=job.index, sampling=SAMPLING, limits=limits)
            return len(rollout.token_ids)

        return sum(await gather(run_job(job) for job in work))


async def batch_by_batch(batches: Sequence[Sequence[Job]], pool: Pool) -> int:
    """Run batch after batch, each waiting for its longest rollout; returns the number of tokens."""

    async def run_job(job: Job) -> int:
        limits = Limits(max_tokens=job.max_tokens)
        generation = await pool.generate(Request(prefix=job.prefix, sampling=SAMPLING, limits=limits, seed=job.seed))
        return generation.usage.generated

    return sum([sum(await gather(run_job(job) for job in batch)) for batch in batches])


async def measured(name: str, work: Awaitable[int]) -> float:
    """Tokens per second of one way, printed as soon as it is measured."""
    began = time.perf_counter()
    tokens = await work
    seconds = time.perf_counter() - began
    say(name, tokens, seconds)
    return tokens / seconds


def say(name: str, tokens: int, seconds: float) -> None:
    """Print one way's tokens and seconds."""
    print(f"{name}: {tokens} tokens in {seconds:.1f} s, {tokens / seconds:.1f} a second", flush=True)


async def served(work: Sequence[Job], tokenizer: HFTokenizer, server: LocalServer, *, width: int) -> dict[str, float]:
    """Tokens per second of the three ways that use the server."""
    by_problem = [[job for job in work if job.problem == problem] for problem in sorted({job.problem for job in work})]
    wide = [work[start : start + width] for start in range(0, len(work), width)]
    client = server.client()
    async with Fleet([Worker(client=client, server=server)], FleetSettings(stall_s=300)) as fleet:
        pool = Pool(fleet, Slots(width), settings=RetrySettings())
        await batch_by_batch([[job] for job in work[:1]], pool)  # the first request warms up the engine
        return {
            "ours": await measured("ours", ours(work, pool, tokenizer)),
            "lockstep": await measured("lockstep", batch_by_batch(wide, pool)),
            "serial": await measured("serial", batch_by_batch(by_problem, pool)),
        }


def main() -> None:
    """Measure the four ways, the ceiling before and after the others, and print the ratios."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--problems", type=int, default=48)
    arguments.add_argument("--rollouts", type=int, default=4, help="per problem")
    arguments.add_argument("--width", type=int, default=64, help="sequences in flight")
    arguments.add_argument("--median", type=int, default=24, help="of the length limits, in tokens")
    options = arguments.parse_args()
    model = embedded_model()
    tokenizer = HFTokenizer(model)
    work = jobs(tokenizer, problems=options.problems, rollouts=options.rollouts, median=options.median, most=256)
    ceilings = [raw(work, model=model, width=options.width)]
    say("raw", *ceilings[0])
    settings = ServerSettings(model=model, dtype="float32", max_sequences=options.width)
    with tempfile.TemporaryDirectory() as folder, LocalServer(settings, log_path=Path(folder) / "server.log") as server:
        rates = asyncio.run(served(work, tokenizer, server, width=options.width))
    ceilings.append(raw(work, model=model, width=options.width))
    say("raw again", *ceilings[1])
    ceiling = sum(tokens for tokens, _ in ceilings) / sum(seconds for _, seconds in ceilings)
    figures = {
        "raw_tokens_per_s": round(ceiling, 1),
        "ours_ratio": round(rates["ours"] / ceiling, 3),
        "lockstep_ratio": round(rates["lockstep"] / ceiling, 3),
        "serial_ratio": round(rates["serial"] / ceiling, 3),
        "raw_runs_tokens_per_s": [round(tokens / seconds, 1) for tokens, seconds in ceilings],
        "rollouts": len(work),
        "in_flight": options.width,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
