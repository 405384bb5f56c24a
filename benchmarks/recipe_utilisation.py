"""Measures how full each recipe of a round keeps the real engine.

A round of chain sums is made with the embedded policy, as `stepmill run` makes it. Every request that is answered
is recorded with the stage that sent it. A stage's pace is its generated tokens over the seconds from its first request
to its last answer. The ceiling is the pace of vLLM offline, in a process of its own, with all rollouts of the stage
queued at once, each to the length that it had in the round. The last line is JSON: one ratio for each recipe, and the
`least` of them.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project.running.listener import Listener, Made, Table
from dagster_project.running.selection import select
from dagster_project.runs import InProcess, RoundMaker
from dagster_project.settings.file import Settings, load_settings
from generators.engine.client import VLLMClient
from generators.engine.embedded import embedded_model
from generators.engine.protocol import Generation, Request

RECIPES = (
    "attempts",
    "process_labels",
    "step_preference_pairs",
    "critical_token_pairs",
    "self_correction_traces",
    "long_cot_traces",
)


@dataclass
class Recorder(Listener):
    """Hears which stage runs, and keeps every request that it sends with its times."""

    stage: str = ""
    jobs: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    first: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)

    def started(self, table: Table) -> None:
        """Count what follows for this stage."""
        self.stage = table.asset

    def finished(self, made: Made) -> None:
        """Print how long the stage took."""
        print(f"{made.table}: {made.rows} rows in {made.seconds:.0f} s, {made.tokens} tokens", flush=True)

    async def record(self, client: VLLMClient, request: Request) -> Generation:
        """Pass the request on, and keep it with what came back."""
        stage, began = self.stage, time.perf_counter()
        self.first.setdefault(stage, began)
        generation = await _generate(client, request)
        self.last[stage] = time.perf_counter()
        for child, completion in enumerate(generation.completions):
            sampling = request.sampling
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
        return generation

    def tokens(self, stage: str) -> int:
        """The tokens that a stage generated."""
        return sum(int(job["max_tokens"]) for job in self.jobs[stage])

    def pace(self, stage: str) -> float:
        """Tokens a second of a stage."""
        return self.tokens(stage) / (self.last[stage] - self.first[stage])


_generate = VLLMClient.generate


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

    async def generate(client: VLLMClient, request: Request) -> Generation:
        return await recorder.record(client, request)

    VLLMClient.generate = generate  # type: ignore[method-assign,assignment]
    with dg.DagsterInstance.ephemeral() as instance:
        runner = InProcess(settings=settings, instance=instance, listener=recorder)
        maker = RoundMaker(settings=settings, instance=instance, runner=runner, listener=recorder)
        maker.make("utilisation", select(settings, releases=False), log=folder / "round.log")
    VLLMClient.generate = _generate  # type: ignore[method-assign]
    return recorder


def ceilings(recorder: Recorder, stages: list[str], *, width: int, folder: Path) -> dict[str, float]:
    """Tokens a second of each stage's rollouts, all queued at once in vLLM offline."""
    file, result = folder / "jobs.json", folder / "result.json"
    file.write_text(json.dumps([recorder.jobs[stage] for stage in stages]))
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
    options = arguments.parse_args()
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        recorder = round_of(settings_of(options, folder), folder)
        stages = [stage for stage in RECIPES if recorder.jobs[stage]]
        raw = ceilings(recorder, stages, width=options.width, folder=folder)
    ratios = {stage: round(recorder.pace(stage) / raw[stage], 3) for stage in stages}
    for stage in stages:
        print(
            f"{stage}: {recorder.tokens(stage)} tokens, {recorder.pace(stage):.1f} a second, ceiling {raw[stage]:.1f}"
        )
    print(json.dumps({**ratios, "least": min(ratios.values())}))


if __name__ == "__main__":
    main()
