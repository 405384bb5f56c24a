"""Process labels of one slice: for every step of the chosen solutions, how many continuations end right."""

import asyncio
from collections import Counter

import dagster as dg
import polars as pl
from pydantic import Field

from dagster_project import report
from dagster_project.assets.attempts import server_log
from dagster_project.partitions import round_and_slice
from dagster_project.resources.policy import PolicyResource, explained
from dagster_project.resources.store import Store
from dagster_project.settings import Settings
from dagster_project.workbench import Workbench, workbench
from filters.answers import AnswerRule
from filters.schemas import PROCESS_LABELS
from generators import process_labels as recipe
from generators.records import Attempt, LabelledSolution, Problem
from generators.runner import Outcome, run_recipe
from generators.tables import attempts_of, law_of, problems_of, process_labels_table

Item = tuple[Problem, Attempt]
DROPPED = {"problem_id": pl.String, "attempt_index": pl.Int64, "reason": pl.String, "detail": pl.String}


def process_labels(settings: Settings, grid: dg.MultiPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset, with the settings' numbers as the Launchpad's defaults."""
    defaults = settings.process_labels
    slices = settings.slices()

    class ProcessLabelsRun(dg.Config):
        """How many rollouts judge a step, and of how many solutions."""

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
        retry_policy=dg.RetryPolicy(max_retries=2, delay=30),
    )
    def asset(
        context: dg.AssetExecutionContext, config: ProcessLabelsRun, policy: PolicyResource, store: Store
    ) -> dg.MaterializeResult:
        """Solutions in steps, each step with its counts of right continuations."""
        round_key, slice_key = round_and_slice(context)
        problems = problems_of(store.read(store.table("problems", round_key, slice_key)))
        attempts_frame = store.read(store.table("attempts", round_key, slice_key))
        attempts = attempts_of(attempts_frame)
        sampling, max_tokens = law_of(attempts_frame)
        labels_config = recipe.ProcessLabelsConfig(
            sampling=sampling,
            max_tokens=max_tokens,
            rollouts_per_step=config.rollouts_per_step,
            solutions_per_problem=config.solutions_per_problem,
            min_steps=defaults.min_steps,
            max_steps=defaults.max_steps,
        )
        rule = AnswerRule(bare_last_number=slices[slice_key][0].bare_last_number)
        tokenizer = policy.identity().tokenizer
        chosen = [
            (problem, recipe.choose(attempts[problem.problem_id], tokenizer=tokenizer, config=labels_config))
            for problem in problems
            if problem.problem_id in attempts
        ]
        items = [(problem, attempt) for problem, choice in chosen for attempt in choice.attempts]

        async def label() -> tuple[Outcome[Item, LabelledSolution], Workbench]:
            async with workbench(
                context, policy, store, round_key=round_key, slice_key=slice_key, unit="solutions"
            ) as bench:

                async def one(item: Item) -> LabelledSolution:
                    return await recipe.label(
                        *item,
                        sampler=bench.sampler,
                        checker=bench.checker,
                        rule=rule,
                        config=labels_config,
                    )

                window = policy.settings.in_flight
                return await run_recipe(one, items, window=window, on_done=bench.progress.update), bench

        with explained():
            outcome, bench = asyncio.run(label())
        provenance = {"policy": bench.sampler.policy, "round": round_key, "slice": slice_key}
        frame = process_labels_table(outcome.rows, provenance)
        passed_over = [(attempt, reason, "") for _, choice in chosen for attempt, reason in choice.passed_over]
        refused = [(failure.item[1], "refused", failure.message) for failure in outcome.failures]
        dropped = pl.DataFrame(
            [(a.problem_id, a.attempt_index, reason, detail) for a, reason, detail in passed_over + refused],
            schema=DROPPED,
            orient="row",
        )
        store.write(store.table("process_labels", round_key, slice_key), frame)
        store.write(store.dropped("process_labels", round_key, slice_key), dropped)
        n_right, n_wrong = step_labels(frame)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": frame.height,
                "dagster/uri": str(store.table("process_labels", round_key, slice_key)),
                "dagster/column_schema": report.table_columns(frame, PROCESS_LABELS.meanings),
                "policy": bench.sampler.policy,
                **bench.metadata(),
                "steps_that_can_end_right": n_right,
                "steps_that_never_ended_right": n_wrong,
                "dropped": report.reasons(report.reason_counts(dropped)),
                "step_values": step_values(frame),
                "steps_per_solution": report.reasons(
                    {f"{steps} steps": rows for steps, rows in Counter(frame["steps"].list.len().to_list()).items()}
                ),
                "sample_rows": report.sample_rows(frame, ("prompt", "steps", "n_correct", "n_rollouts", "verdict")),
                **server_log(policy),
            },
            check_results=[both_labels(n_right, n_wrong)],
        )

    return asset


def step_labels(frame: pl.DataFrame) -> tuple[int, int]:
    """Steps from which some continuation ended right, and steps from which none did."""
    counts = frame.select("n_correct", "n_rollouts").explode("n_correct", "n_rollouts").filter(pl.col("n_rollouts") > 0)
    n_right = int((counts["n_correct"] > 0).sum())
    return n_right, counts.height - n_right


def step_values(frame: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """The picture of the steps' values."""
    counts = frame.select("n_correct", "n_rollouts").explode("n_correct", "n_rollouts").filter(pl.col("n_rollouts") > 0)
    values = (counts["n_correct"] / counts["n_rollouts"]).to_list()
    return report.histogram(values, title="Value per step", x="share of right continuations", y="steps")


def both_labels(n_right: int, n_wrong: int) -> dg.AssetCheckResult:
    """Whether there are steps of both labels: a reward model learns nothing from one."""
    return dg.AssetCheckResult(
        check_name="both_labels",
        passed=n_right > 0 and n_wrong > 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"can_end_right": n_right, "never_ended_right": n_wrong},
    )
