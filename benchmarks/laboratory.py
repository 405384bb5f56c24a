"""Measures the laboratory's policy on unseen problems of each task: how often it is right, and how fast it is sampled.

Pass@1, the majority of the first eight and pass@k of `--samples` stand beside what the law of the task says. The last
line is JSON.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from generators.engine.in_process.engine import InProcessEngine, InProcessSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Engine, Generation, Limits, Request, Sampling
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
from generators.engine.slots import Slots
from generators.engine.tokenizer import HFTokenizer
from generators.problems import prompt as solve
from generators.problems.laboratory.law import truth, value
from generators.problems.laboratory.problems import LaboratoryProblems
from generators.problems.laboratory.tasks import NAMES, TASKS, TaskName
from generators.sampling.tasks import gather
from generators.training.laboratory import laboratory_model

WIDTH = 256
CONTEXT = 1024
VOTES = 8


@asynccontextmanager
async def engine_of(kind: str, model: Path) -> AsyncIterator[Engine]:
    """The engine `vllm` or `in_process` over a model folder."""
    if kind == "in_process":
        settings = InProcessSettings(model=str(model), max_model_len=CONTEXT, max_sequences=WIDTH)
        async with InProcessEngine(settings) as engine:
            yield engine
        return
    served = ServerSettings(model=model, dtype="float32", max_model_len=CONTEXT, max_sequences=WIDTH)
    with tempfile.TemporaryDirectory() as folder, LocalServer(served, log_path=Path(folder) / "server.log") as server:
        async with server.client() as client:
            yield client


async def sampled(engine: Engine, tokenizer: HFTokenizer, prompts: Sequence[str], n: int) -> list[Generation]:
    """`n` solutions of each problem at temperature 1, a sequence a request, as a run asks for them."""
    pool = Pool(engine, Slots(WIDTH + WIDTH // 4), settings=RetrySettings())

    async def solutions(number: int, prompt: str) -> Generation:
        prefix = tokenizer.chat(solve.messages(prompt))
        limits, sampling = Limits(max_tokens=256), Sampling()
        parts = await gather(
            pool.generate(Request(prefix=prefix, sampling=sampling, limits=limits, seed=number * 100_000 + child))
            for child in range(n)
        )
        return Generation(completions=tuple(part.completions[0] for part in parts))

    return list(await gather(solutions(number, prompt) for number, prompt in enumerate(prompts)))


def figures(name: TaskName, prompts: Sequence[str], generations: Sequence[Generation]) -> dict[str, float]:
    """Shares of right answers of one task, and the same by its law."""
    task = TASKS[name]()
    right, majority, oracle, n = 0, 0, 0, len(generations[0].completions)
    for prompt, generation in zip(prompts, generations, strict=True):
        verdicts = [truth(task, prompt, completion.text).is_right for completion in generation.completions]
        answers = [completion.text.strip().rpartition("\n")[2] for completion in generation.completions]
        vote = Counter(answers[:VOTES]).most_common(1)[0][0]
        right += sum(verdicts)
        majority += verdicts[answers.index(vote)]
        oracle += any(verdicts)
    laws = [value(task, prompt, "") for prompt in prompts]
    return {
        "pass_1": round(right / n / len(prompts), 3),
        "law": round(sum(laws) / len(laws), 3),
        f"majority_{VOTES}": round(majority / len(prompts), 3),
        f"pass_{n}": round(oracle / len(prompts), 3),
    }


async def measured(kind: str, model: Path, *, problems: int, samples: int) -> dict[str, dict[str, float]]:
    """The figures of every task."""
    tokenizer, results = HFTokenizer(model), dict[str, dict[str, float]]()
    async with engine_of(kind, model) as engine:
        for name in NAMES:
            prompts = LaboratoryProblems(name=name, task=name, part="evaluation", size=problems).prompts()
            began = time.monotonic()
            generations = await sampled(engine, tokenizer, prompts, samples)
            seconds = time.monotonic() - began
            tokens = sum(len(one.token_ids) for generation in generations for one in generation.completions)
            rates = {
                "rollouts_per_second": round(problems * samples / seconds),
                "tokens_per_second": round(tokens / seconds),
            }
            results[name] = figures(name, prompts, generations) | rates
            print(name, results[name], flush=True)
    return results


def main() -> None:
    """Sample and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", type=Path, help="a model folder; default the laboratory's policy")
    arguments.add_argument("--engine", choices=("in_process", "vllm"), default="in_process")
    arguments.add_argument("--problems", type=int, default=300, help="of each task")
    arguments.add_argument("--samples", type=int, default=64, help="of each problem")
    options = arguments.parse_args()
    model = options.model or laboratory_model()
    results = asyncio.run(measured(options.engine, model, problems=options.problems, samples=options.samples))
    print(json.dumps({"engine": options.engine, "problems": options.problems, "tasks": results}))


if __name__ == "__main__":
    main()
