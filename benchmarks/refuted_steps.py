"""Measures how many rollouts exact arithmetic saves the labels: a step that states a false equation needs none.

Labels the chosen solutions of one finished round twice, with `refuted_steps` of `[process_labels]` at "keep" and at
"wrong", by the round's own strategy. Rollouts come from a copy of the round's ledger and, where it lacks some, from a
real vLLM server. `samples` are the rollouts that labels looked at, shared ones once; those of the pilot come on top and
are not counted.

The last line is JSON. `saved` is the share of the samples that the second run did without, `saved_where_refuted` that
of the solutions with a refuted step. `same_labels` is the share of steps that both runs label equally where neither is
unsure, and `same_unrefuted` that of the steps of solutions without a refuted step.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from upath import UPath

from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from filters.answers.checker import AnswerChecker, AnswerRule
from filters.equations.steps import states_checkable
from generators.attempts.table import ATTEMPTS, StoredAttempts
from generators.blocks import StoredTable
from generators.engine.fleet import Fleet, FleetSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Sampling
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
from generators.engine.slots import Slots
from generators.engine.worker import Worker
from generators.models.policy import Policy, identify
from generators.problems.table import problems_of
from generators.process_labels.choosing import Item, choose_solutions
from generators.process_labels.dataset import derived_labels
from generators.process_labels.pilot import calibrated
from generators.process_labels.recipe import LabelledProblem, ProcessLabelsConfig, label
from generators.process_labels.settings import RefutedSteps, Settings
from generators.process_labels.table import process_labels_table
from generators.sampling.ledger import Ledger
from generators.sampling.runner import run_recipe
from generators.sampling.sampler import Sampler
from generators.search.sequential_test import SequentialTest
from generators.search.strategy import Strategy

CONTEXT = 2048
IN_FLIGHT = 64
MODES: tuple[RefutedSteps, ...] = ("keep", "wrong")


@dataclass(frozen=True, slots=True)
class Bench:
    """One slice of a round, and what is needed to label it again."""

    items: Sequence[Item]
    attempts: StoredAttempts
    sampler: Sampler
    checker: AnswerChecker
    config: ProcessLabelsConfig

    async def label(self, item: Item, strategy: Strategy) -> LabelledProblem:
        """Label the chosen solutions of one problem."""
        attempts = self.attempts.of(item.problem.problem_id)
        return await label(
            item.problem,
            attempts,
            [attempt for index in item.chosen for attempt in attempts if attempt.attempt_index == index],
            sampler=self.sampler,
            checker=self.checker,
            rule=AnswerRule(),
            config=self.config,
            strategy=strategy,
        )

    async def labelled(self) -> tuple[pl.DataFrame, int]:
        """The labels of all items, and the rollouts that they looked at."""
        open_items = [item for item in self.items if item.chosen]
        strategy = self.config.settings.initial_strategy
        if isinstance(strategy, SequentialTest):
            strategy = await calibrated(
                strategy,
                open_items,
                tried=[item.tried for item in self.items],
                label=self.label,
                pilot=self.config.settings.pilot,
                window=IN_FLIGHT,
            )
        done = await run_recipe(lambda item: self.label(item, strategy), open_items, window=IN_FLIGHT)
        samples = sum(len(node.outcomes) for row in done.rows for node in row.tree if node.parent is not None)
        solutions = [solution for row in done.rows for solution in row.solutions]
        table = process_labels_table(solutions, {"policy": "p", "round": "r", "slice": "s"})
        return derived_labels(table, self.config.settings), samples


def figures(kept: pl.DataFrame, refuted: pl.DataFrame, samples: Mapping[RefutedSteps, int]) -> dict[str, Any]:
    """What the two runs cost, and where their labels differ."""
    key = ["problem_id", "attempt_index"]
    both = kept.join(refuted, on=key, suffix="_refuted")
    counts = dict.fromkeys(("steps", "checkable", "refuted", "rollout_right", "same", "decided"), 0)
    elsewhere = {"same": 0, "decided": 0}
    cost = dict.fromkeys(MODES, 0)
    for row in both.iter_rows(named=True):
        has_refuted = any(row["false_equations"])
        if has_refuted:
            cost["keep"] += sum(row["n_rollouts"][:-1])
            cost["wrong"] += sum(row["n_rollouts_refuted"][:-1])
        for step, (before, after) in enumerate(zip(row["hard_labels"], row["hard_labels_refuted"], strict=True)):
            given = row["prompt"] + "\n" + "".join(row["steps"][:step])
            counts["steps"] += 1
            counts["checkable"] += states_checkable(row["steps"][step], given=given)
            if row["false_equations"][step] is not None:
                counts["refuted"] += 1
                counts["rollout_right"] += before is True
            if before is not None and after is not None:
                counts["decided"] += 1
                counts["same"] += before == after
                if not has_refuted:
                    elsewhere["decided"] += 1
                    elsewhere["same"] += before == after
    return {
        "solutions": both.height,
        "refuted_solutions": int(both["false_equations"].list.drop_nulls().list.len().gt(0).sum()),
        **{name: counts[name] for name in ("steps", "checkable", "refuted", "rollout_right")},
        "samples": dict(samples),
        "saved": 1 - samples["wrong"] / max(1, samples["keep"]),
        "samples_where_refuted": cost,
        "saved_where_refuted": 1 - cost["wrong"] / max(1, cost["keep"]),
        "same_labels": counts["same"] / max(1, counts["decided"]),
        "same_unrefuted": elsewhere["same"] / max(1, elsewhere["decided"]),
        "labelled": {
            name: sum(frame["hard_labels"].list.drop_nulls().list.len())
            for name, frame in (("keep", kept), ("wrong", refuted))
        },
    }


async def compared(store: Store, cell: Cell, sampler: Sampler, policy: Policy) -> dict[str, Any]:
    """Label the slice in both ways."""
    recipe = store.read_recipe("attempts", cell)["config"]
    settings = Settings.model_validate(store.read_recipe("process_labels", cell)["settings"])
    problems = problems_of(store.read(store.table("problems", cell)))
    attempts = StoredAttempts(StoredTable(store.table("attempts", cell), ATTEMPTS))
    labels: dict[RefutedSteps, pl.DataFrame] = {}
    samples: dict[RefutedSteps, int] = {}
    with AnswerChecker() as checker:
        for mode in MODES:
            config = ProcessLabelsConfig(
                sampling=Sampling(**recipe["sampling"]),
                max_tokens=recipe["max_tokens"],
                settings=settings.model_copy(update={"refuted_steps": mode}),
            )
            rule, tokenizer = AnswerRule(), policy.tokenizer
            choice = choose_solutions(problems, attempts, {}, tokenizer=tokenizer, rule=rule, config=config)
            labels[mode], samples[mode] = await Bench(choice.items, attempts, sampler, checker, config).labelled()
            print(mode, samples[mode], "samples", file=sys.stderr, flush=True)
    return figures(labels["keep"], labels["wrong"], samples)


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """Serve the policy, open a copy of the ledger, and compare."""
    policy = identify(options.policy)
    store, cell = Store(data_root=str(options.data)), Cell(round=options.round, slice=options.slice)
    with tempfile.TemporaryDirectory() as scratch:
        folder = UPath(scratch) / "ledger"
        shutil.copytree(str(store.ledger_folder(policy.name, cell)), str(folder))
        settings = ServerSettings(model=policy.model, dtype="float32", max_model_len=CONTEXT, max_sequences=IN_FLIGHT)
        server = LocalServer(settings, log_path=Path(scratch) / "server.log")
        server.start(lambda line: print(line, file=sys.stderr))
        try:
            client = server.client()
            async with Fleet([Worker(client=client, server=server)], FleetSettings()) as fleet:
                pool = Pool(fleet, Slots(IN_FLIGHT), settings=RetrySettings())
                with Ledger(folder) as ledger:
                    sampler = Sampler(
                        policy=policy.name, engine=pool, tokenizer=policy.tokenizer, ledger=ledger, context=CONTEXT
                    )
                    return await compared(store, cell, sampler, policy)
        finally:
            server.stop()


def main() -> None:
    """Compare, and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True, help="the data root of the round")
    arguments.add_argument("--round", default="demo")
    arguments.add_argument("--slice", default="chain_sum-0")
    arguments.add_argument("--policy", default="embedded", help="as in the settings: `embedded`, `warmed_up`, a folder")
    print(json.dumps(asyncio.run(run(arguments.parse_args()))))


if __name__ == "__main__":
    main()
