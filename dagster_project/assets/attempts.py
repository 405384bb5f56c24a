"""Attempts: n verified solutions of every problem of one slice, and the difficulty that follows from them."""

import asyncio
from collections import Counter

import dagster as dg
import polars as pl
from pydantic import Field

from dagster_project import report
from dagster_project.partitions import round_and_slice, round_seed
from dagster_project.resources.policy import PolicyResource, explained
from dagster_project.resources.store import Store
from dagster_project.settings import Settings
from dagster_project.workbench import Workbench, workbench
from filters.answers import AnswerRule
from filters.difficulty import difficulty
from filters.schemas import ATTEMPTS
from generators import attempts as recipe
from generators.engine.protocol import Sampling
from generators.ledger import sampling_json
from generators.records import Attempt, Problem
from generators.runner import Outcome, run_recipe
from generators.tables import attempts_table, problems_of


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
        check_specs=[dg.AssetCheckSpec("right_and_wrong", asset="attempts")],
        retry_policy=dg.RetryPolicy(max_retries=2, delay=30),
    )
    def asset(
        context: dg.AssetExecutionContext, config: AttemptsRun, policy: PolicyResource, store: Store
    ) -> dg.MaterializeResult:
        """Solutions by the policy, each with a verdict, and the pass rate of each problem."""
        round_key, slice_key = round_and_slice(context)
        problems = problems_of(store.read(store.table("problems", round_key, slice_key)))
        sampling = Sampling(temperature=config.temperature, top_p=config.top_p, seed=round_seed(round_key))
        attempts_config = recipe.AttemptsConfig(n=config.n, sampling=sampling, max_tokens=config.max_tokens)
        rule = AnswerRule(bare_last_number=slices[slice_key][0].bare_last_number)

        async def solve() -> tuple[Outcome[Problem, tuple[Attempt, ...]], Workbench]:
            async with workbench(
                context, policy, store, round_key=round_key, slice_key=slice_key, unit="problems"
            ) as bench:

                async def one(problem: Problem) -> tuple[Attempt, ...]:
                    return await recipe.attempt(
                        problem, sampler=bench.sampler, checker=bench.checker, rule=rule, config=attempts_config
                    )

                window = policy.settings.in_flight
                return await run_recipe(one, problems, window=window, on_done=bench.progress.update), bench

        with explained():
            outcome, bench = asyncio.run(solve())
        made = {row[0].problem_id: row for row in outcome.rows}
        provenance = {
            "policy": bench.sampler.policy,
            "round": round_key,
            "slice": slice_key,
            "sampling": sampling_json(sampling),
            "max_tokens": config.max_tokens,
        }
        pairs = [(problem, attempt) for problem in problems for attempt in made.get(problem.problem_id, ())]
        frame = attempts_table(pairs, provenance)
        dropped = pl.DataFrame(
            [{"problem_id": f.item.problem_id, "reason": "refused", "detail": f.message} for f in outcome.failures],
            schema={"problem_id": pl.String, "reason": pl.String, "detail": pl.String},
        )
        by_problem = difficulty(frame)
        store.write(store.table("attempts", round_key, slice_key), frame)
        store.write(store.dropped("attempts", round_key, slice_key), dropped)
        store.write(store.table("problem_difficulty", round_key, slice_key), by_problem)
        verdicts = Counter(frame["verdict"].to_list())
        n_right, n_decided = int(frame["is_right"].sum() or 0), frame["is_right"].count()
        rates = by_problem["pass_rate"].drop_nulls().to_list()
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": frame.height,
                "dagster/uri": str(store.table("attempts", round_key, slice_key)),
                "dagster/column_schema": report.table_columns(frame, ATTEMPTS.meanings),
                "policy": bench.sampler.policy,
                **bench.metadata(),
                "verdicts": report.reasons({str(verdict): rows for verdict, rows in verdicts.items()}),
                "dropped": report.reasons(report.reason_counts(dropped)),
                "difficulty": report.reasons(dict(Counter(by_problem["difficulty"].drop_nulls().to_list()))),
                "pass_rate": round(n_right / max(n_decided, 1), 3),
                "pass_rates": report.histogram(
                    rates, title="Pass rate per problem", x="share of right solutions", y="problems"
                ),
                "sample_rows": report.sample_rows(frame, ("text", "verdict", "extracted")),
                **server_log(policy),
            },
            check_results=[right_and_wrong(n_right, n_decided)],
        )

    return asset


def right_and_wrong(n_right: int, n_decided: int) -> dg.AssetCheckResult:
    """Whether the policy is right sometimes and wrong sometimes: the later stages learn from the difference."""
    return dg.AssetCheckResult(
        check_name="right_and_wrong",
        passed=0 < n_right < n_decided,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"right": n_right, "decided": n_decided},
    )


def server_log(policy: PolicyResource) -> dict[str, dg.MetadataValue]:
    """Where the log of the server is, when this run started one."""
    return {"server_log": dg.MetadataValue.path(str(policy.log_path))} if policy.log_path else {}
