"""Attempts: n verified solutions of every problem of one slice, and the difficulty that follows from them."""

import asyncio
from collections import Counter
from dataclasses import asdict
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from dagster_project import report
from dagster_project.checks import failed_items, share_in_bounds, specs, timeouts
from dagster_project.failures import explained
from dagster_project.finishing import Table, finished
from dagster_project.partitions import Cell, cell_of
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.store import Store
from dagster_project.settings.file import Settings
from dagster_project.settings.operations import CheckSettings
from dagster_project.unanswered import nothing_to_verify, set_aside
from dagster_project.workbench import Workbench, workbench
from filters.answers.checker import AnswerRule
from generators.attempts import recipe
from generators.attempts.difficulty import difficulty
from generators.attempts.fit import fit_to_label
from generators.attempts.table import ATTEMPTS, PROBLEM_DIFFICULTY, attempts_table
from generators.engine.protocol import Sampling
from generators.problems.table import problems_of
from generators.records import Attempt, Problem
from generators.sampling.ledger import sampling_json
from generators.sampling.runner import Outcome, run_recipe

DROPPED = {"problem_id": pl.String, "reason": pl.String, "detail": pl.String}
Made = Outcome[Problem, tuple[Attempt, ...]]


def attempts(settings: Settings, grid: dg.MultiPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset, with the settings' numbers as the Launchpad's defaults."""
    defaults = settings.attempts
    slices = settings.slices()

    class AttemptsRun(dg.Config):
        """How many solutions of each problem, drawn how."""

        n: int = Field(defaults.n, ge=1, description="solutions per problem")
        temperature: float = Field(defaults.temperature, ge=0, description="sampling temperature")
        top_p: float = Field(defaults.top_p, gt=0, le=1, description="nucleus sampling")
        max_tokens: int = Field(defaults.max_tokens, ge=1, description="tokens of a solution at most")

    @dg.asset(
        name="attempts",
        partitions_def=grid,
        deps=["problems"],
        group_name="attempts",
        kinds={"vllm", "parquet"},
        pool="gpu",
        code_version=recipe.VERSION,
        check_specs=specs("attempts", blocking=["label_balance", "failed_items", "timeouts"]),
    )
    def asset(
        context: dg.AssetExecutionContext, config: AttemptsRun, policy: PolicyResource, store: Store
    ) -> dg.MaterializeResult:
        """Solutions by the policy, each with a verdict, and the pass rate of each problem."""
        cell = cell_of(context)
        sampling = Sampling(temperature=config.temperature, top_p=config.top_p, seed=cell.seed)
        source, _ = slices[cell.slice]
        rule = source.answer_rule
        law = recipe.AttemptsConfig(
            n=config.n, sampling=sampling, max_tokens=config.max_tokens, examples=source.examples
        )
        with explained():
            problems = problems_of(store.read(store.table("problems", cell)))
            if nothing_to_verify(problems):
                beside = [(store.table("problem_difficulty", cell), PROBLEM_DIFFICULTY.empty())]
                return set_aside(context, store, cell, problems, ATTEMPTS, dropped=DROPPED, beside=beside)
            made, bench = asyncio.run(draw(context, policy, store, cell, problems=problems, rule=rule, law=law))
            frame = write(store, cell, problems=problems, made=made, policy=bench.sampler.policy, law=law)
            bounds = settings.checks
            return finished(
                Table(asset="attempts", frame=frame, schema=ATTEMPTS, asked=law.n, figures={"pass_rate": right(frame)}),
                store,
                cell,
                bounds,
                checks=[
                    label_balance(frame, bounds),
                    failed_items(len(made.failures), len(problems), bounds.most_failed),
                    timeouts(frame["verdict"], bounds.most_timeouts),
                ],
                metadata=metadata(store, cell, frame)
                | {"unfit_to_label": report.counts(fit_to_label(frame, settings.quality.solutions).counts())},
                bench=bench,
                policy=policy,
            )

    return asset


async def draw(
    context: dg.AssetExecutionContext,
    policy: PolicyResource,
    store: Store,
    cell: Cell,
    *,
    problems: list[Problem],
    rule: AnswerRule,
    law: recipe.AttemptsConfig,
) -> tuple[Made, Workbench]:
    """Attempt every problem of the slice through one workbench."""
    async with workbench(context, policy, store, cell, unit="problems", total=len(problems)) as bench:

        async def one(problem: Problem) -> tuple[Attempt, ...]:
            return await recipe.attempt(problem, sampler=bench.sampler, checker=bench.checker, rule=rule, config=law)

        window = policy.settings.in_flight
        return await run_recipe(one, problems, window=window, on_done=bench.progress.update), bench


def write(
    store: Store, cell: Cell, *, problems: list[Problem], made: Made, policy: str, law: recipe.AttemptsConfig
) -> pl.DataFrame:
    """Write the attempts, what was dropped, and the difficulty of each problem; gives the attempts."""
    provenance = cell.provenance(policy) | {"sampling": sampling_json(law.sampling), "max_tokens": law.max_tokens}
    by_id = {problem.problem_id: problem for problem in problems}
    frame = attempts_table([(by_id[row[0].problem_id], one) for row in made.rows for one in row], provenance)
    refused = [(failure.item.problem_id, "refused", failure.message) for failure in made.failures]
    store.write_recipe("attempts", cell, {"n": law.n, "max_tokens": law.max_tokens, "sampling": asdict(law.sampling)})
    store.write(store.table("attempts", cell), frame)
    store.write(store.dropped("attempts", cell), pl.DataFrame(refused, schema=DROPPED, orient="row"))
    store.write(store.table("problem_difficulty", cell), difficulty(frame))
    return frame


def metadata(store: Store, cell: Cell, frame: pl.DataFrame) -> dict[str, Any]:
    """What the UI shows of the attempts: counts, the picture of pass rates, sample rows."""
    by_problem = store.read(store.table("problem_difficulty", cell))
    rates = by_problem["pass_rate"].drop_nulls().to_list()
    return {
        "verdicts": report.counts(Counter(frame["verdict"].to_list())),
        "difficulty": report.counts(Counter(by_problem["difficulty"].drop_nulls().to_list())),
        "pass_rate": round(right(frame), 3),
        "pass_rates": report.histogram(rates, title="Pass rate per problem", x="share right", y="problems"),
        "sample_rows": report.sample_rows(frame, ("text", "verdict", "extracted")),
    }


def right(frame: pl.DataFrame) -> float:
    """The share of right attempts among those that have a verdict; 0 where none has."""
    return float(frame.select(pl.col("is_right").mean()).item() or 0.0)


def label_balance(frame: pl.DataFrame, bounds: CheckSettings) -> dg.AssetCheckResult:
    """Whether the policy is right sometimes and wrong sometimes: the later stages learn from the difference."""
    return share_in_bounds(
        "label_balance",
        int(frame["is_right"].sum()),
        int(frame["is_right"].count()),
        least=bounds.least_right,
        most=bounds.most_right,
        what="attempts that are right",
    )
