"""Compares labels of a real model's solutions with a reference of many rollouts per step, and with planted errors.

The warmed-up policy (`make policy`) attempts unseen problems of 4 to 10 steps through a real vLLM server. Every
strategy and the exhaustive reference label the same solutions. The reference's first error is the first step from which
at most 5 % of the rollouts end right, there and at all later steps (Critical Tokens, arXiv 2411.19943, section 3.1).
The lines of a right solution to these problems are known, and so is the first wrong line. In addition, one step of some
right solutions is replaced by an error, and every strategy searches for it. A strategy's cost counts all rollouts that
it looked at, shared or not.

All rollouts are stored in `--folder`, and an interrupted run resumes there. The last line is JSON.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
from upath import UPath

from benchmarks.warmed_up import first_wrong_line
from filters.answers.checker import AnswerChecker, AnswerRule
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.fleet import Fleet, FleetSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Limits, Sampling
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
from generators.engine.slots import Slots
from generators.engine.worker import Worker
from generators.models.policy import WARMED_UP, identify
from generators.problems.loading import load_problems
from generators.problems.multi_step import MultiStepProblems, WorkedProblem
from generators.problems.table import problems_of
from generators.process_labels.audit.audit import audit
from generators.process_labels.audit.planted import PlantedConfig, PlantedSolution, plant
from generators.process_labels.labels import with_labels
from generators.process_labels.pilot import calibrated
from generators.process_labels.recipe import LabelledProblem, ProcessLabelsConfig, choose, label
from generators.process_labels.settings import Settings
from generators.process_labels.table import process_labels_table
from generators.records import Attempt, LabelledSolution, Problem, Rollout
from generators.sampling.ledger import Ledger
from generators.sampling.runner import run_recipe
from generators.sampling.sampler import Sampler
from generators.search.exhaustive import Exhaustive
from generators.search.omegaprm import OmegaPRM
from generators.search.prior_fit import Attempted
from generators.search.sequential_test import SequentialTest
from generators.search.strategy import Strategy

SAMPLING = Sampling(temperature=0.8, seed=1)
MAX_TOKENS = 256
NEVER = 0.05
IN_FLIGHT = 64
STRATEGIES: dict[str, Strategy] = {
    "exhaustive k=8": Exhaustive(rollouts_per_step=8),
    "omegaprm k=8": OmegaPRM(k=8, search_limit=1),
    "sequential_test": SequentialTest(cap=96),
}


@dataclass(frozen=True, slots=True)
class Item:
    """A problem, its attempts, and the attempts to label."""

    problem: Problem
    attempts: tuple[Attempt, ...]
    chosen: tuple[Attempt, ...]


class CountedSampler(Sampler):
    """A sampler that counts the rollouts and tokens it returned, drawn or replayed from the ledger."""

    rollouts = 0
    tokens = 0

    async def draw(
        self, prefix: Sequence[int], *, n: int, sampling: Sampling, limits: Limits, start: int = 0, ahead: int = 0
    ) -> tuple[Rollout, ...]:
        drawn = await super().draw(prefix, n=n, sampling=sampling, limits=limits, start=start, ahead=ahead)
        self.rollouts += len(drawn)
        self.tokens += sum(len(rollout.token_ids) for rollout in drawn)
        return drawn


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything needed to sample, verify and label."""

    sampler: CountedSampler
    checker: AnswerChecker
    config: ProcessLabelsConfig

    async def label(self, item: Item, strategy: Strategy) -> LabelledProblem:
        """Label the chosen solutions of one problem."""
        return await label(
            item.problem,
            item.attempts,
            item.chosen,
            sampler=self.sampler,
            checker=self.checker,
            rule=AnswerRule(),
            config=self.config,
            strategy=strategy,
        )

    async def labelled(
        self, items: Sequence[Item], strategy: Strategy
    ) -> tuple[dict[str, Any], list[LabelledSolution]]:
        """Label the solutions of every item; returns the cost and the labelled solutions."""
        self.sampler.rollouts = self.sampler.tokens = 0
        done = await run_recipe(lambda item: self.label(item, strategy), items, window=IN_FLIGHT, on_done=_say)
        cost = {"rollouts": self.sampler.rollouts, "tokens": self.sampler.tokens}
        return cost, [solution for row in done.rows for solution in row.solutions]


def _say(done: int, total: int) -> None:
    print(f"{done} of {total}", file=sys.stderr, flush=True)


def source(n_problems: int) -> MultiStepProblems:
    """Evaluation problems of the kind that the warmed-up policy was trained on."""
    return MultiStepProblems(name="multi_step", size=n_problems, seed=3)


async def attempted(bench: Bench, n_problems: int) -> list[Item]:
    """Evaluation problems with eight attempts each; one wrong and one right attempt are chosen."""
    problems = problems_of((await load_problems(source(n_problems), checker=bench.checker)).kept)
    config = AttemptsConfig(n=8, sampling=SAMPLING, max_tokens=MAX_TOKENS)

    async def attempt_problem(problem: Problem) -> Item:
        tried = await attempt(problem, sampler=bench.sampler, checker=bench.checker, rule=AnswerRule(), config=config)
        chosen = choose(tried, tokenizer=bench.sampler.tokenizer, config=bench.config).attempts
        return Item(problem, tried, chosen)

    return list((await run_recipe(attempt_problem, problems, window=IN_FLIGHT)).rows)


async def planted(bench: Bench, items: Sequence[Item]) -> list[tuple[Item, PlantedSolution]]:
    """Plant one error in a right solution of each problem that has one."""
    config = PlantedConfig(sampling=SAMPLING, max_tokens=MAX_TOKENS, max_steps=bench.config.settings.max_steps)
    errors = []
    for item in items:
        right = next((attempt for attempt in item.attempts if attempt.verdict.is_right), None)
        if right is not None:
            result = await plant(
                item.problem, right, sampler=bench.sampler, checker=bench.checker, rule=AnswerRule(), config=config
            )
            if isinstance(result, PlantedSolution):
                errors.append((replace(item, chosen=(result.attempt,)), result))
    return errors


def first_errors(solutions: Sequence[LabelledSolution], confidence: float) -> list[int | None]:
    """The first error of each solution, derived as in a release."""
    frame = process_labels_table(solutions, {"policy": "p", "round": "r", "slice": "s"})
    return list(with_labels(frame, hard_threshold=0.0, confidence=confidence)["first_error"])


def found_planted(
    searched: Sequence[LabelledSolution], errors: Sequence[tuple[Item, PlantedSolution]]
) -> list[int | None]:
    """The first error found in each solution with a planted error; None if a strategy did not label it."""
    keys = [(solution.attempt.problem_id, solution.attempt.attempt_index) for solution in searched]
    by_attempt = dict(zip(keys, first_errors(searched, 0.94), strict=True))
    return [by_attempt.get((planted.attempt.problem_id, planted.attempt.attempt_index)) for _, planted in errors]


def reference_first_error(solution: LabelledSolution) -> int:
    """The first step from which, as from all later ones, at most 5 % of rollouts end right; -1 if there is none."""
    shares = [count.n_correct / count.n_rollouts for count in solution.counts]
    first = -1
    for step, share in enumerate(shares):
        if share > NEVER:
            first = -1
        elif first < 0:
            first = step
    return first


def wrong_lines(solutions: Sequence[LabelledSolution], written: Mapping[str, WorkedProblem]) -> list[int]:
    """The first line of each solution that differs from the problem's written solution; -1 if none does."""
    lines = [first_wrong_line(written[solution.problem.prompt], solution.attempt.text) for solution in solutions]
    return [-1 if line is None else line for line in lines]


def agreement(estimates: Sequence[int | None], truth: Sequence[int]) -> dict[str, float]:
    """The shares of equal first errors (or none on both sides), of off-by-one, and of not sure."""
    pairs = list(zip(estimates, truth, strict=True))
    near = sum(
        step is not None and -1 not in (step, true_step) and abs(step - true_step) == 1 for step, true_step in pairs
    )
    return {
        "same": sum(step == true_step for step, true_step in pairs) / len(pairs),
        "off_by_one": near / len(pairs),
        "not_sure": sum(step is None for step, _ in pairs) / len(pairs),
    }


def value_error(solutions: Sequence[LabelledSolution], reference: Sequence[LabelledSolution]) -> float:
    """Mean squared difference between a strategy's step values and the reference's, where both have one."""
    squares = [
        (value - true) ** 2
        for solution, same in zip(solutions, reference, strict=True)
        for value, true in zip(solution.values.mean[:-1], same.values.mean[:-1], strict=True)
        if value is not None and true is not None
    ]
    return sum(squares) / max(1, len(squares))


async def compared(bench: Bench, options: argparse.Namespace) -> dict[str, Any]:
    """Run and compare all strategies."""
    items = await attempted(bench, options.problems)
    written = {problem.prompt: problem for problem in source(options.problems).worked()}
    tried = [
        Attempted(sum(attempt.verdict.is_right for attempt in item.attempts), len(item.attempts)) for item in items
    ]
    chosen = [item for item in items if item.chosen]
    # The reference goes first and keeps the engine full; the strategies then find nearly all rollouts in the ledger.
    full_cost, reference = await bench.labelled(chosen, Exhaustive(rollouts_per_step=options.reference))
    errors = await planted(bench, items)
    strategies = dict(STRATEGIES)
    ours = await calibrated(
        SequentialTest(cap=96), chosen, tried=tried, label=bench.label, pilot=len(chosen), window=IN_FLIGHT
    )
    strategies["sequential_test"] = ours
    print("priors", json.dumps(ours.priors.to_json()), file=sys.stderr)
    figures: dict[str, Any] = {}
    results = {}
    for name, strategy in strategies.items():
        cost, solutions = await bench.labelled(chosen, strategy)
        results[name] = solutions
        audit_cost, searched = await bench.labelled([item for item, _ in errors], strategy)
        audited = audit(found_planted(searched, errors), [planted.first_error for _, planted in errors])
        lines = agreement(first_errors(solutions, 0.94), wrong_lines(solutions, written))
        figures[name] = {**cost, "solutions": len(solutions), "wrong_line": lines}
        figures[name] |= {"planted": audited.facts(), "planted_cost": audit_cost}
        print(name, json.dumps(figures[name]), flush=True)
    by_steps = pl.DataFrame(
        [
            (len(solution.steps), solution.attempt_counts.n_correct, solution.attempt_counts.n_rollouts)
            for solution in results["exhaustive k=8"]
        ],
        schema=["steps", "right", "attempts"],
        orient="row",
    )
    rates = by_steps.group_by("steps").agg(pl.col("right").sum() / pl.col("attempts").sum()).sort("steps").rows()
    truth = {solution.node_ids[-1]: reference_first_error(solution) for solution in reference}
    by_end = {solution.node_ids[-1]: solution for solution in reference}
    for name, solutions in results.items():
        true_steps = [truth[solution.node_ids[-1]] for solution in solutions]
        figures[name]["reference"] = agreement(first_errors(solutions, 0.94), true_steps)
        figures[name]["value_error"] = value_error(solutions, [by_end[solution.node_ids[-1]] for solution in solutions])
        figures[name]["tokens_ratio"] = figures[name]["tokens"] / full_cost["tokens"]
    lines = agreement([truth[solution.node_ids[-1]] for solution in reference], wrong_lines(reference, written))
    figures[f"reference k={options.reference}"] = {**full_cost, "solutions": len(reference), "wrong_line": lines}
    return {"strategies": figures, "pass_rate_by_steps": rates}


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """Serve the policy, open the ledger, and compare."""
    policy = identify(WARMED_UP)
    settings = ServerSettings(model=policy.model, dtype="float32", max_model_len=1024, max_sequences=IN_FLIGHT)
    server = LocalServer(settings, log_path=options.folder / "server.log")
    options.folder.mkdir(parents=True, exist_ok=True)
    server.start(lambda line: print(line, file=sys.stderr))
    try:
        client = server.client()
        async with Fleet([Worker(client=client, server=server)], FleetSettings()) as fleet:
            pool = Pool(fleet, Slots(IN_FLIGHT), settings=RetrySettings())
            with Ledger(UPath(options.folder / "ledger" / policy.name)) as ledger, AnswerChecker() as checker:
                sampler = CountedSampler(
                    policy=policy.name, engine=pool, tokenizer=policy.tokenizer, ledger=ledger, context=1024
                )
                config = ProcessLabelsConfig(sampling=SAMPLING, max_tokens=MAX_TOKENS, settings=Settings())
                return await compared(Bench(sampler, checker, config), options)
    finally:
        server.stop()


def main() -> None:
    """Compare, and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--folder", type=Path, default=Path("data/benchmarks/label_agreement"))
    arguments.add_argument("--problems", type=int, default=28)
    arguments.add_argument("--reference", type=int, default=64, help="rollouts from every step")
    print(json.dumps(asyncio.run(run(arguments.parse_args()))))


if __name__ == "__main__":
    main()
