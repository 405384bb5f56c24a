"""What the released datasets are worth: the policy before and after small trainings on them, on problems held out.

Of the latest versions below `--releases` it trains LoRA adapters of the policy that wrote them, by the scripts in
`examples/`: on right attempts (the rejection-sampling baseline), long chains of thought and self-corrections; by DPO on
whole solutions, Step-DPO and cDPO on equally many pairs; and two process reward models, on the released labels and on
labels of the exhaustive strategy for as many tokens. Each model solves the same problems of the settings' evaluation
sets, which must be in no train split, through a real server. Long chains of thought are trained and asked bare.
`benchmarks/data_value.toml` are settings for such releases: `make demo` makes them where STEPMILL_SETTINGS names it.

Every stage is kept below `--folder`: a run that was cut off goes on where it was. It prints a table; the last line is
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

from benchmarks.value_bench import LABELS, Bench, Size
from benchmarks.value_data import Registry, held_out
from benchmarks.value_figures import Sample, chosen, gain, order, over_seeds, pass_rates, solved, table, told_apart
from benchmarks.value_serving import Asking, Plain
from benchmarks.value_training import ARMS, Arm, equal_parts
from dagster_project.publishing import DATASETS
from dagster_project.settings.file import Settings, load_settings
from filters.answers.checker import AnswerChecker
from generators.engine.protocol import Sampling
from generators.models.policy import identify
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
    """Everything, seed by seed; figures by row of the table, and what each was trained on.

    The `gain` of a training is over the base that was asked in the same way, on the same problems. `told_apart` is what
    a reward model knows within a problem, where choosing between its samples is decided.
    """
    figures: dict[str, list[dict[str, float]]] = {}
    rates: dict[str, list[list[float]]] = {}
    orders: dict[str, list[list[float | None]]] = {}
    notes: dict[str, str] = {}
    labels = bench.labels() if bench.registry.manifest(LABELS) else {}
    asks_bare = any(arm.is_bare for arm in rows)
    for seed in range(bench.size.seeds):
        base = bench.base(seed, is_bare=False)
        answers = {"base": of_plain(base)}
        if asks_bare:
            answers["base_asked_bare"] = of_plain(bench.base(seed, is_bare=True))
        for arm, part in equal_parts(rows, rows=bench.size.rows, pairs=bench.size.pairs, seed=seed).items():
            told = bench.after(arm, part, seed)
            notes[arm.name] = f"{told['training']['rows']} {'pairs' if arm.takes_pairs else 'traces'}"
            answers[arm.name] = of_plain(told["samples"])
        for name, groups in answers.items():
            figures.setdefault(name, []).append(solved(groups))
            rates.setdefault(name, []).append(pass_rates(groups))
        for name, labelled in labels.items():
            row, worths = f"best_of_n_by_{name}", bench.worths(name, labelled, seed, base)
            notes[row] = f"{len(labelled)} solutions"
            figures.setdefault(row, []).append(chosen(answers["base"], worths))
            orders.setdefault(row, []).append([told_apart(*each) for each in zip(answers["base"], worths, strict=True)])
    told_of = {name: over_seeds(told, problems=len(bench.problems)) for name, told in figures.items()}
    for arm in rows:
        before = "base_asked_bare" if arm.is_bare else "base"
        told_of[arm.name]["gain"] = gain(rates[arm.name], rates[before])
    for row, by_seed in orders.items():
        if there := order(by_seed):
            told_of[row]["told_apart"] = there
    return {"rows": told_of, "trained_on": notes}


def of_plain(groups: Sequence[Sequence[Plain]]) -> list[list[Sample]]:
    """The samples out of JSON."""
    return [[Sample.of(one) for one in group] for group in groups]


def bench_of(options: argparse.Namespace, settings: Settings, say: Callable[[str], None]) -> Bench:
    """The bench over a registry; raises ValueError where policy, settings or problems do not go with its releases."""
    model = options.model or settings.policy.model
    registry, policy = Registry(options.releases.resolve()), identify(model)
    there = {name: manifest for name in DATASETS if (manifest := registry.manifest(name))}
    for name, manifest in there.items():
        if policy.name not in manifest.facts.policy:
            raise ValueError(
                f"{name} was written by {manifest.facts.policy}, and model is {policy.name}: name that one"
            )
    size = QUICK if options.quick else FULL
    size = replace(size, **{name: told for name in asdict(size) if (told := getattr(options, name)) is not None})
    source, law = settings.sources[0], settings.attempts
    with AnswerChecker() as checker:
        sets = [asyncio.run(load_problems(one.problems, checker=checker)) for one in settings.evaluation_sets]
    problems = held_out(
        [problem for one in sets for problem in problems_of(one.kept)], registry.trained_on(there), n=size.problems
    )
    asking = Asking(
        sampling=Sampling(temperature=law.temperature, top_p=law.top_p),
        max_tokens=law.max_tokens,
        rule=source.answer_rule,
        examples=source.examples,
    )
    return Bench(
        registry=registry,
        model=model,
        policy=policy,
        problems=problems,
        asking=asking,
        bare=replace(asking, is_bare=True, max_tokens=max(law.max_tokens, settings.long_cot_traces.max_tokens)),
        size=size,
        folder=options.folder.resolve(),
        say=say,
    )


def main() -> None:
    """Train, ask, and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--releases", type=Path, required=True, help="the registry, such as data/releases")
    arguments.add_argument("--settings", type=Path, help="what the releases were made with; stepmill.toml by default")
    arguments.add_argument("--model", help="the policy that wrote them; that of the settings by default")
    arguments.add_argument("--folder", type=Path, default=Path("data/benchmarks/data_value"))
    arguments.add_argument("--quick", action="store_true", help=f"a small size: {asdict(QUICK)}")
    for name, value in asdict(FULL).items():
        arguments.add_argument(f"--{name.replace('_', '-')}", type=int, help=f"{value} by default")
    options = arguments.parse_args()
    bench = bench_of(options, load_settings(options.settings), lambda line: print(line, file=sys.stderr, flush=True))
    found = {arm: arm.rows(bench.registry) for arm in ARMS}
    rows = {arm: made for arm, made in found.items() if made is not None}
    left_out = [arm.name for arm in ARMS if arm not in rows]
    told = measured(bench, rows)
    print(table(told["rows"], told["trained_on"]))
    print(json.dumps(told | {"size": asdict(bench.size), "left_out": left_out, "policy": bench.policy.name}))


if __name__ == "__main__":
    main()
