"""Measures the value of the released datasets: the policy before and after small trainings, on held-out problems.

From the latest versions in `--releases`, it trains LoRA adapters of the policy that wrote them, with the scripts in
`examples/`: SFT on right attempts (the rejection-sampling baseline), long chains of thought and self-corrections; DPO
on whole solutions, Step-DPO and cDPO on equal numbers of pairs. It also trains two process reward models, one on the
released labels and one on labels of the exhaustive strategy at the same token cost. Every model solves the same
problems of the settings' evaluation sets, which must not be in any train split, through a real server. Long chains of
thought are trained and evaluated with bare prompts. `benchmarks/data_value.toml` has settings for such releases; run
`make demo` with STEPMILL_SETTINGS pointing to it.

Every stage is stored in `--folder`, and an interrupted run resumes there. The script prints a table; the last line is
JSON.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from datasets import Dataset

from benchmarks.laboratory_value.run import run
from benchmarks.value_bench import LABELS, Bench, Size
from benchmarks.value_data import Registry, held_out
from benchmarks.value_figures import (
    Sample,
    chosen,
    gain,
    order,
    over_seeds,
    pass_rates,
    ranking_accuracy,
    solved,
    table,
)
from benchmarks.value_serving import Prompting, SampleJson
from benchmarks.value_training import ARMS, Arm, equal_parts
from dagster_project.settings.file import Settings, load_settings
from filters.answers.checker import AnswerChecker
from generators.attempts.stage import STAGE as ATTEMPTS
from generators.datasets import DATASETS
from generators.engine.protocol import Sampling
from generators.long_cot_traces.dataset import DATASET as LONG_COT_TRACES
from generators.models.policy import LABORATORY, identify
from generators.problems.loading import load_problems
from generators.problems.table import problems_of

FULL = Size(
    problems=64,
    n=8,
    seeds=3,
    rows=120,
    pairs=60,
    steps=30,
    batch_size=4,
    solutions=1000,
    reward_steps=60,
    max_length=1024,
)
QUICK = Size(
    problems=12, n=8, seeds=1, rows=8, pairs=8, steps=4, batch_size=2, solutions=16, reward_steps=8, max_length=1024
)


def measured(bench: Bench, rows: Mapping[Arm, Dataset]) -> dict[str, Any]:
    """Run everything, seed by seed; returns the figures of each table row, and what each model was trained on.

    The `gain` of a training is against the base policy with the same prompts and problems. `told_apart` is how often a
    reward model ranks a right sample above a wrong one of the same problem.
    """
    figures: dict[str, list[dict[str, float]]] = {}
    rates: dict[str, list[list[float]]] = {}
    orders: dict[str, list[list[float | None]]] = {}
    notes: dict[str, str] = {}
    labels = bench.labels() if bench.registry.manifest(LABELS) else {}
    needs_bare = any(arm.is_bare for arm in rows)
    for seed in range(bench.size.seeds):
        base = bench.base(seed, is_bare=False)
        answers = {"base": parse_samples(base)}
        if needs_bare:
            answers["base_asked_bare"] = parse_samples(bench.base(seed, is_bare=True))
        for arm, part in equal_parts(rows, rows=bench.size.rows, pairs=bench.size.pairs, seed=seed).items():
            result = bench.after(arm, part, seed)
            notes[arm.name] = f"{result['training']['rows']} {'pairs' if arm.takes_pairs else 'traces'}"
            answers[arm.name] = parse_samples(result["samples"])
        for name, groups in answers.items():
            figures.setdefault(name, []).append(solved(groups))
            rates.setdefault(name, []).append(pass_rates(groups))
        for name, labelled in labels.items():
            row, scores = f"best_of_n_by_{name}", bench.scores(name, labelled, seed, base)
            notes[row] = f"{len(labelled)} solutions"
            figures.setdefault(row, []).append(chosen(answers["base"], scores))
            orders.setdefault(row, []).append(
                [ranking_accuracy(*each) for each in zip(answers["base"], scores, strict=True)]
            )
    summaries = {name: over_seeds(by_seed, problems=len(bench.problems)) for name, by_seed in figures.items()}
    for arm in rows:
        before = "base_asked_bare" if arm.is_bare else "base"
        summaries[arm.name]["gain"] = gain(rates[arm.name], rates[before])
    for row, by_seed in orders.items():
        if ranking := order(by_seed):
            summaries[row]["told_apart"] = ranking
    return {"rows": summaries, "trained_on": notes}


def parse_samples(groups: Sequence[Sequence[SampleJson]]) -> list[list[Sample]]:
    """Parse samples from JSON."""
    return [[Sample.of(sample) for sample in group] for group in groups]


def bench_of(options: argparse.Namespace, settings: Settings, say: Callable[[str], None]) -> Bench:
    """Build the bench; raises ValueError if policy, settings or problems do not match the registry's releases."""
    model = options.model or settings.policy.model
    registry, policy = Registry(options.releases.resolve()), identify(model)
    released = {dataset.name: manifest for dataset in DATASETS if (manifest := registry.manifest(dataset.name))}
    for name, manifest in released.items():
        if policy.name not in manifest.facts.policy:
            raise ValueError(
                f"{name} was written by {manifest.facts.policy}, and model is {policy.name}: name that one"
            )
    size = QUICK if options.quick else FULL
    size = replace(size, **{name: value for name in asdict(size) if (value := getattr(options, name)) is not None})
    source, attempts = settings.sources[0], settings.of(ATTEMPTS)
    with AnswerChecker() as checker:
        loaded = [asyncio.run(load_problems(part.problems, checker=checker)) for part in settings.evaluation_sets]
    problems = held_out(
        [problem for filtered in loaded for problem in problems_of(filtered.kept)],
        registry.trained_on(released),
        n=size.problems,
    )
    prompting = Prompting(
        sampling=Sampling(temperature=attempts.temperature, top_p=attempts.top_p),
        max_tokens=attempts.max_tokens,
        rule=source.answer_rule,
        examples=source.examples,
    )
    trace_tokens = settings.of(LONG_COT_TRACES.stage).max_tokens
    return Bench(
        registry=registry,
        model=model,
        policy=policy,
        problems=problems,
        prompting=prompting,
        bare=replace(prompting, is_bare=True, max_tokens=max(attempts.max_tokens, trace_tokens)),
        size=size,
        folder=options.folder.resolve(),
        say=say,
    )


def main() -> None:
    """Train, evaluate, and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--laboratory", action="store_true", help="measure in the laboratory, without releases")
    arguments.add_argument("--picture", type=Path, help="with --laboratory: the PNG to draw, such as one in docs/")
    arguments.add_argument("--releases", type=Path, help="the registry, such as data/releases")
    arguments.add_argument("--settings", type=Path, help="the settings that made the releases; default stepmill.toml")
    arguments.add_argument("--model", help="the policy that wrote the releases; default from the settings")
    arguments.add_argument("--folder", type=Path, default=Path("data/benchmarks/data_value"))
    arguments.add_argument("--quick", action="store_true", help=f"a small size: {asdict(QUICK)}")
    for name, value in asdict(FULL).items():
        arguments.add_argument(f"--{name.replace('_', '-')}", type=int, help=f"default {value}")
    options = arguments.parse_args()
    if options.laboratory:
        run(
            model=options.model or LABORATORY,
            folder=options.folder / LABORATORY,
            is_quick=options.quick,
            seeds=options.seeds,
            picture=options.picture,
        )
        return
    if options.releases is None:
        arguments.error("--releases must name a registry, such as data/releases, unless --laboratory is given")
    bench = bench_of(options, load_settings(options.settings), lambda line: print(line, file=sys.stderr, flush=True))
    available = {arm: arm.rows(bench.registry) for arm in ARMS}
    rows = {arm: dataset for arm, dataset in available.items() if dataset is not None}
    left_out = [arm.name for arm in ARMS if arm not in rows]
    result = measured(bench, rows)
    print(table(result["rows"], result["trained_on"]))
    print(json.dumps(result | {"size": asdict(bench.size), "left_out": left_out, "policy": bench.policy.name}))


if __name__ == "__main__":
    main()
