"""Measures how full the recipes of a round keep the real engine.

A round of chain sums is made with the embedded policy, as `stepmill run` makes it. Recipes that do not wait for each
other share the engine, so a recipe is judged by what the engine gave while any of its requests was open, to whomever.
The ceiling is vLLM offline, in a process of its own, with a recipe's rollouts queued at once, each to the length that
it had in the round; of more than `--most`, those in the middle. A recipe's ratio is the time that the ceiling takes for
what the engine gave, over the time that it took. The last line is JSON: one ratio for each recipe, and the `least`.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project.running.listener import Listener, Made
from dagster_project.running.selection import select
from dagster_project.runs import InProcess, RoundMaker
from dagster_project.settings.file import Settings, load_settings
from generators.datasets import TURNS
from generators.engine.client import VLLMClient
from generators.engine.embedded import embedded_model
from generators.engine.pool import Pool
from generators.engine.protocol import Generation, Request

RECIPES = (
    "attempts",
    "process_labels",
    "step_preference_pairs",
    "critical_token_pairs",
    "self_correction_traces",
    "long_cot_traces",
)


STAGE: ContextVar[str] = ContextVar("STAGE")


@dataclass(frozen=True, slots=True)
class Answered:
    """A rollout that the engine gave: for which recipe, from when to when, and how many tokens."""

    stage: str
    began: float
    ended: float
    tokens: int


@dataclass
class Recorder(Listener):
    """Keeps every request of each recipe, what was answered when, and when any of its requests was open."""

    jobs: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    answered: list[Answered] = field(default_factory=list)
    spans: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    _open: Counter[str] = field(default_factory=Counter)
    _since: dict[str, float] = field(default_factory=dict)

    def finished(self, made: Made) -> None:
        """Print how long the stage took after its turn had come."""
        print(f"{made.table}: {made.rows} rows in {made.seconds:.0f} s, {made.tokens} tokens", flush=True)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Hear every request until the end of the block."""
        of_pool, of_client = Pool.generate, VLLMClient.generate

        async def wanted(pool: Pool, request: Request) -> Generation:
            STAGE.set(TURNS[pool.rank])
            with self._wanting(TURNS[pool.rank]):
                return await of_pool(pool, request)

        async def sent(client: VLLMClient, request: Request) -> Generation:
            began = time.perf_counter()
            generation = await of_client(client, request)
            self._keep(STAGE.get(), request, generation, began)
            return generation

        Pool.generate, VLLMClient.generate = wanted, sent  # type: ignore[method-assign]
        try:
            yield
        finally:
            Pool.generate, VLLMClient.generate = of_pool, of_client  # type: ignore[method-assign]

    @contextmanager
    def _wanting(self, stage: str) -> Iterator[None]:
        if not self._open[stage]:
            self._since[stage] = time.perf_counter()
        self._open[stage] += 1
        try:
            yield
        finally:
            self._open[stage] -= 1
            if not self._open[stage]:
                self.spans[stage].append((self._since[stage], time.perf_counter()))

    def _keep(self, stage: str, request: Request, generation: Generation, began: float) -> None:
        now, sampling = time.perf_counter(), request.sampling
        for child, completion in enumerate(generation.completions):
            self.answered.append(Answered(stage, began, now, len(completion.token_ids)))
            self.jobs[stage].append(
                {
                    "prefix": list(request.prefix),
                    "seed": request.seed + child,
                    "max_tokens": len(completion.token_ids),
                    "temperature": sampling.temperature,
                    "top_p": sampling.top_p,
                    "top_k": sampling.top_k,
                    "ignore_eos": True,
                }
            )

    def tokens(self, stage: str) -> int:
        """The tokens that a stage generated."""
        return sum(int(job["max_tokens"]) for job in self.jobs[stage])

    def seconds(self, stage: str) -> float:
        """How long any request of a stage was open."""
        return sum(end - start for start, end in self.spans[stage])

    def given(self, stage: str) -> dict[str, float]:
        """The tokens that the engine gave meanwhile, by recipe; those of a rollout are spread evenly over its time."""
        given: dict[str, float] = defaultdict(float)
        for one in self.answered:
            inside = sum(max(0.0, min(one.ended, end) - max(one.began, start)) for start, end in self.spans[stage])
            given[one.stage] += one.tokens * inside / (one.ended - one.began)
        return given


def settings_of(options: argparse.Namespace, folder: Path) -> Settings:
    """The demo's settings with more problems and a data root of their own."""
    text = Path("stepmill.toml").read_text()
    for name, value in (("data_root", f'"{folder}/data"'), ("size", options.problems), ("in_flight", options.width)):
        text = re.sub(rf"^{name} = \S+", f"{name} = {value}", text, count=1, flags=re.MULTILINE)
    file = folder / "stepmill.toml"
    file.write_text(text)
    return load_settings(file)


def round_of(settings: Settings, folder: Path) -> Recorder:
    """Make the round, and return what it sent."""
    recorder = Recorder()
    with dg.DagsterInstance.ephemeral() as instance, recorder.recording():
        runner = InProcess(settings=settings, instance=instance, listener=recorder)
        maker = RoundMaker(settings=settings, instance=instance, runner=runner, listener=recorder)
        maker.make("utilisation", select(settings, releases=False), log=folder / "round.log")
    return recorder


def middle(jobs: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """At most so many neighbours out of the middle."""
    start = max(0, (len(jobs) - most) // 2)
    return jobs[start : start + most]


def ceilings(recorder: Recorder, stages: list[str], *, width: int, most: int, folder: Path) -> dict[str, float]:
    """Tokens a second of each stage's rollouts, queued at once in vLLM offline."""
    file, result = folder / "jobs.json", folder / "result.json"
    file.write_text(json.dumps([middle(recorder.jobs[stage], most) for stage in stages]))
    command = [
        sys.executable,
        "-m",
        "benchmarks.offline_engine",
        str(file),
        str(result),
        str(embedded_model()),
        str(width),
    ]
    subprocess.run(command, stdout=sys.stderr, check=True)
    return {
        stage: tokens / seconds for stage, (tokens, seconds) in zip(stages, json.loads(result.read_text()), strict=True)
    }


def main() -> None:
    """Make the round, run its rollouts again offline, and print the ratios."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--problems", type=int, default=100)
    arguments.add_argument("--width", type=int, default=64, help="sequences in flight")
    arguments.add_argument("--most", type=int, default=600, help="rollouts of a recipe that are run again offline")
    options = arguments.parse_args()
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        recorder = round_of(settings_of(options, folder), folder)
        stages = [stage for stage in RECIPES if recorder.jobs[stage]]
        raw = ceilings(recorder, stages, width=options.width, most=options.most, folder=folder)
    ratios = {}
    for stage in stages:
        given, seconds = recorder.given(stage), recorder.seconds(stage)
        ratios[stage] = round(sum(tokens / raw[other] for other, tokens in given.items()) / seconds, 3)
        beside = sum(given.values()) - recorder.tokens(stage)
        print(
            f"{stage}: {recorder.tokens(stage)} tokens in {seconds:.0f} s, and {beside:.0f} of others meanwhile; "
            f"alone, queued at once, {raw[stage]:.1f} a second: {ratios[stage]}"
        )
    print(json.dumps({**ratios, "least": min(ratios.values())}))


if __name__ == "__main__":
    main()
