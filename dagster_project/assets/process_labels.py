"""Process labels of one slice: for every step of the chosen solutions, how many continuations end right."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from dagster_project import report
from dagster_project.failures import explained
from dagster_project.partitions import Cell, cell_of
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.store import Store
from dagster_project.settings import Settings
from dagster_project.workbench import Workbench, workbench
from filters.answers import AnswerRule
from filters.schemas import PROCESS_LABELS
from filters.solutions import fit_to_label
from generators import process_labels as recipe
from generators.records import Attempt, LabelledSolution, Problem
from generators.runner import Outcome, run_recipe
from generators.tables import attempts_of, law_of, problems_of, process_labels_table

DROPPED = {"problem_id": pl.String, "attempt_index": pl.Int64, "reason": pl.String, "detail": pl.String}
Item = tuple[Problem, Attempt]
Made = Outcome[Item, LabelledSolution]


def process_labels(settings: Settings, grid: dg.MultiPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset, with the settings' numbers as the Launchpad's defaults."""
    defaults = settings.process_labels
    slices = settings.slices()

    class ProcessLabelsRun(dg.Config):
        """How many rollouts judge a step, and of how many solutions; they are drawn from the attempts' own law."""

        rollouts_per_step: int = Field(defaults.rollouts_per_step, ge=1, description="continuations per step")
        solutions_per_problem: int = Field(defaults.solutions_per_problem, ge=1, description="solutions labelled")

    @dg.asset(
        name="process_labels",
        partitions_def=grid,
        deps=["problems", "attempts"],
        group_name="process_labels",
        kinds={"vllm", "parquet"},
        pool="gpu",
        code_version=recipe.VERSION,
        check_specs=[dg.AssetCheckSpec("both_labels", asset="process_labels")],
    )
    def asset(
        context: dg.AssetExecutionContext, config: ProcessLabelsRun, policy: PolicyResource, store: Store
    ) -> dg.MaterializeResult:
        """Solutions in steps, each step with its counts of right continuations."""
        cell = cell_of(context)
        source, _ = slices[cell.slice]
        rule = source.answer_rule
        with explained():
            attempts = store.read(store.table("attempts", cell))
            sampling, max_tokens = law_of(attempts)
            budget = recipe.ProcessLabelsConfig(
                sampling=sampling,
                max_tokens=max_tokens,
                rollouts_per_step=config.rollouts_per_step,
                solutions_per_problem=config.solutions_per_problem,
                min_steps=defaults.min_steps,
                max_steps=defaults.max_steps,
            )
            problems = problems_of(store.read(store.table("problems", cell)))
            fit = fit_to_label(attempts, settings.quality.solutions)
            chosen = choose(problems, attempts_of(fit.kept), policy, budget)
            made, bench = asyncio.run(draw(context, policy, store, cell, chosen=chosen, rule=rule, budget=budget))
            law = asdict(budget) | {"strategy": recipe.STRATEGY, "quality": settings.quality.model_dump()}
            store.write_recipe("process_labels", cell, law)
            frame = write(store, cell, unfit=fit.dropped, chosen=chosen, made=made, policy=bench.sampler.policy)
        return dg.MaterializeResult(
            metadata=metadata(store, cell, frame) | bench.metadata() | policy.metadata(),
            check_results=[both_labels(frame)],
        )

    return asset


def choose(
    problems: Sequence[Problem],
    attempts: dict[str, list[Attempt]],
    policy: PolicyResource,
    budget: recipe.ProcessLabelsConfig,
) -> list[tuple[Problem, recipe.Chosen]]:
    """The solutions to label, problem by problem."""
    tokenizer = policy.identity().tokenizer
    return [
        (problem, recipe.choose(attempts[problem.problem_id], tokenizer=tokenizer, config=budget))
        for problem in problems
        if problem.problem_id in attempts
    ]


async def draw(
    context: dg.AssetExecutionContext,
    policy: PolicyResource,
    store: Store,
    cell: Cell,
    *,
    chosen: Sequence[tuple[Problem, recipe.Chosen]],
    rule: AnswerRule,
    budget: recipe.ProcessLabelsConfig,
) -> tuple[Made, Workbench]:
    """Label every chosen solution of the slice through one workbench."""
    items = [(problem, attempt) for problem, choice in chosen for attempt in choice.attempts]
    async with workbench(context, policy, store, cell, unit="solutions", total=len(items)) as bench:

        async def one(item: Item) -> LabelledSolution:
            return await recipe.label(*item, sampler=bench.sampler, checker=bench.checker, rule=rule, config=budget)

        window = policy.settings.in_flight
        return await run_recipe(one, items, window=window, on_done=bench.progress.update), bench


def write(
    store: Store,
    cell: Cell,
    *,
    unfit: pl.DataFrame,
    chosen: Sequence[tuple[Problem, recipe.Chosen]],
    made: Made,
    policy: str,
) -> pl.DataFrame:
    """Write the labelled solutions, and the attempts that were unfit or passed over; gives the former."""
    frame = process_labels_table(made.rows, cell.provenance(policy))
    dropped = [(attempt, reason, "") for _, choice in chosen for attempt, reason in choice.passed_over]
    dropped += [(failure.item[1], "refused", failure.message) for failure in made.failures]
    rows = [(attempt.problem_id, attempt.attempt_index, reason, detail) for attempt, reason, detail in dropped]
    passed_over = pl.DataFrame(rows, schema=DROPPED, orient="row")
    noted = unfit.with_columns(pl.lit("").alias("detail")).select(passed_over.columns)
    store.write(store.table("process_labels", cell), frame)
    store.write(store.dropped("process_labels", cell), pl.concat([noted, passed_over]))
    return frame


def metadata(store: Store, cell: Cell, frame: pl.DataFrame) -> dict[str, Any]:
    """What the UI shows of the labels: counts, the picture of step values, sample rows."""
    counts = step_counts(frame)
    lengths = Counter(f"{steps} steps" for steps in frame["steps"].list.len().to_list())
    return report.table(store.table("process_labels", cell), frame, PROCESS_LABELS) | {
        "steps_labelled": counts.height,
        "steps_that_can_end_right": counts.filter(pl.col("n_correct") > 0).height,
        "dropped": report.dropped(store.read(store.dropped("process_labels", cell))),
        "step_values": report.histogram(
            (counts["n_correct"] / counts["n_rollouts"]).to_list(),
            title="Value per step",
            x="share of right continuations",
            y="steps",
        ),
        "steps_per_solution": report.counts(lengths),
        "sample_rows": report.sample_rows(frame, ("prompt", "steps", "n_correct", "n_rollouts", "verdict")),
    }


def step_counts(frame: pl.DataFrame) -> pl.DataFrame:
    """One row per step with a decided rollout: `n_correct` and `n_rollouts`."""
    return frame.select("n_correct", "n_rollouts").explode("n_correct", "n_rollouts").filter(pl.col("n_rollouts") > 0)


def both_labels(frame: pl.DataFrame) -> dg.AssetCheckResult:
    """Whether there are steps of both labels: a reward model learns nothing from one."""
    counts = step_counts(frame)
    n_right = counts.filter(pl.col("n_correct") > 0).height
    return dg.AssetCheckResult(
        check_name="both_labels",
        passed=0 < n_right < counts.height,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"can_end_right": n_right, "never_ended_right": counts.height - n_right},
    )
