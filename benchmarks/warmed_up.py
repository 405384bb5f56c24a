"""Measures the warmed-up policy's pass rate on unseen problems, by number of steps and by kind.

Attempts at the evaluation problems of `multi_step` are sampled from a real vLLM server and checked as in a run. The
last line is JSON.
"""

import argparse
import asyncio
import json
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from filters.answers.checker import AnswerChecker
from filters.answers.verdicts import Verdict
from generators.engine.protocol import Limits, Request, Sampling
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
from generators.engine.tokenizer import HFTokenizer
from generators.problems import prompt as solve
from generators.problems.multi_step import MultiStepProblems, WorkedProblem
from generators.sampling.tasks import gather
from generators.training.warmed_up import warmed_up_model

WIDTH = 64


async def attempts(
    problems: list[WorkedProblem], server: LocalServer, tokenizer: HFTokenizer, *, n: int, temperature: float
) -> list[tuple[WorkedProblem, str, Verdict]]:
    """`n` attempts per problem, each with its problem, text and verdict."""
    slots = asyncio.Semaphore(WIDTH)
    client = server.client()
    with AnswerChecker() as checker:
        async with client:

            async def attempt(problem: WorkedProblem, seed: int) -> tuple[WorkedProblem, str, Verdict]:
                request = Request(
                    prefix=tokenizer.chat(solve.messages(problem.prompt)),
                    sampling=Sampling(temperature=temperature),
                    limits=Limits(max_tokens=256),
                    seed=seed,
                )
                async with slots:
                    text = (await client.generate(request)).completions[0].text
                return problem, text, (await checker.check(text, problem.answer)).verdict

            work = [attempt(problem, index * n + child) for index, problem in enumerate(problems) for child in range(n)]
            return list(await gather(work))


def kind(problem: WorkedProblem) -> str:
    """The kind of problem, by its wording."""
    if not problem.prompt.startswith("Calculate"):
        return "story"
    return "products" if "*" in problem.prompt else "sum"


def first_wrong_line(problem: WorkedProblem, text: str) -> int | None:
    """The index of the first line that differs from the problem's written solution; None if none does."""
    written, expected = text.strip().split("\n"), problem.solution.split("\n")
    if written == expected:
        return None
    pairs = zip(written, expected, strict=False)
    differing = (index for index, (got, wanted) in enumerate(pairs) if got != wanted)
    return next(differing, min(len(written), len(expected)))


def rates(verdicts: dict[str, list[bool]]) -> dict[str, tuple[float, int]]:
    """Pass rate and number of attempts, by key."""
    return {key: (round(sum(right) / len(right), 3), len(right)) for key, right in sorted(verdicts.items())}


def main() -> None:
    """Sample, check, and print the rates."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", type=Path, help="a model folder; default the warmed-up policy")
    arguments.add_argument("--problems", type=int, default=63)
    arguments.add_argument("--attempts", type=int, default=4, help="per problem")
    arguments.add_argument("--max-term", type=int, help="largest term in the problems; default from the source")
    arguments.add_argument("--temperature", type=float, default=0.8)
    options = arguments.parse_args()
    model = options.model or warmed_up_model()
    source = MultiStepProblems(name="evaluation", size=options.problems)
    if options.max_term is not None:
        source = replace(source, max_term=options.max_term)
    problems = source.worked()
    settings = ServerSettings(model=model, max_sequences=WIDTH)
    with tempfile.TemporaryDirectory() as folder, LocalServer(settings, log_path=Path(folder) / "server.log") as server:
        work = attempts(problems, server, HFTokenizer(model), n=options.attempts, temperature=options.temperature)
        sampled = asyncio.run(work)
    by_steps: dict[str, list[bool]] = defaultdict(list)
    by_kind: dict[str, list[bool]] = defaultdict(list)
    first_wrong: dict[int, int] = defaultdict(int)
    verdicts: dict[str, int] = defaultdict(int)
    for problem, text, verdict in sampled:
        right = verdict is Verdict.EQUAL
        verdicts[verdict.value] += 1
        by_steps[f"{problem.n_steps:02}"].append(right)
        by_kind[kind(problem)].append(right)
        wrong = first_wrong_line(problem, text)
        if wrong is not None:
            first_wrong[wrong] += 1
    for problem, text, verdict in sampled[:: max(1, len(sampled) // 3)]:
        print(f"--- {problem.prompt} [{verdict.value}]\n{text}")
    result = {
        "pass_rate": round(verdicts[Verdict.EQUAL.value] / len(sampled), 3),
        "pass_rate_by_steps": rates(by_steps),
        "pass_rate_by_kind": rates(by_kind),
        "verdicts": dict(verdicts),
        "first_wrong_step": dict(sorted(first_wrong.items())),
        "attempts": len(sampled),
        "problems": len(problems),
        "max_term": source.max_term,
        "temperature": options.temperature,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
