"""Self-correction traces of one slice: responses that go wrong, notice it behind a trigger, and end right.

Beside the rows stands the table `deepened_responses`: every response, with what it came to at each boundary.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from dagster_project.checks import check, failed_items, specs, timeouts
from dagster_project.corrections_report import metadata, transitions_of
from dagster_project.dataset_settings import ProcessLabelsSettings, SelfCorrectionTracesSettings
from dagster_project.failures import explained
from dagster_project.finishing import Table, finished
from dagster_project.partitions import Cell, cell_of
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.store import Store
from dagster_project.settings.file import Settings
from dagster_project.unanswered import nothing_to_verify, set_aside
from dagster_project.workbench import Workbench, workbench
from filters.answers.checker import AnswerRule
from filters.answers.verdicts import Verdict
from filters.rules import Filtered, apply_rules
from generators.attempts.table import attempts_of, law_of
from generators.engine.protocol import Sampling
from generators.problems.prompt import Example
from generators.problems.table import problems_of
from generators.process_labels.labels import with_labels
from generators.records import Problem
from generators.sampling.runner import Outcome, run_recipe
from generators.self_correction_traces import recipe
from generators.self_correction_traces.composition import CompositionConfig
from generators.self_correction_traces.corrections import State
from generators.self_correction_traces.deepening import IdSamplingConfig
from generators.self_correction_traces.records import FlawedSolution
from generators.self_correction_traces.table import (
    DEEPENED_RESPONSES,
    SELF_CORRECTION_TRACES,
    deepened_responses_table,
    flawed_of,
    self_correction_traces_table,
)

NAME = "self_correction_traces"
DROPPED = {
    "problem_id": pl.String,
    "origin": pl.String,
    "attempt_index": pl.Int64,
    "reason": pl.String,
    "detail": pl.String,
}
Item = tuple[Problem, list[FlawedSolution]]
Made = Outcome[Item, recipe.CorrectedProblem]


def self_correction_traces(settings: Settings, grid: dg.MultiPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset, with the settings' numbers as the Launchpad's defaults."""
    defaults = settings.self_correction_traces
    slices = settings.slices()

    class SelfCorrectionTracesRun(dg.Config):
        """How responses are deepened, and what a composed correction may cost; both follow the attempts' own law."""

        samples: int = Field(defaults.samples, ge=1, description="responses per problem; they begin as the attempts do")
        first_budget: int = Field(defaults.first_budget, ge=1, description="tokens before the first trigger")
        growth: float = Field(defaults.growth, gt=1, description="each budget over the one before")
        max_budget: int = Field(defaults.max_budget, ge=1, description="the largest budget")
        max_triggers: int = Field(defaults.max_triggers, ge=0, description="triggers of a response at most")
        triggers_finished: bool = Field(defaults.triggers_finished, description="ask again behind finished responses")
        cap: int = Field(defaults.cap, ge=1, description="continuations of a good prefix at most")

    @dg.asset(
        name=NAME,
        partitions_def=grid,
        deps=["problems", "attempts", "process_labels"],
        group_name="traces",
        kinds={"vllm", "parquet"},
        pool="gpu",
        code_version=recipe.VERSION,
        check_specs=specs(NAME, blocking=["failed_items", "timeouts"], warning=["triggers_do_no_harm", "both_origins"]),
    )
    def asset(
        context: dg.AssetExecutionContext, config: SelfCorrectionTracesRun, policy: PolicyResource, store: Store
    ) -> dg.MaterializeResult:
        """Wrong answers that the policy mended behind a trigger, and wrong steps mended from the last good prefix."""
        cell = cell_of(context)
        source, _ = slices[cell.slice]
        asked = SelfCorrectionTracesSettings.model_validate(defaults.model_dump() | config.model_dump())
        with explained():
            problems = problems_of(store.read(store.table("problems", cell)))
            if nothing_to_verify(problems):
                beside = [(store.table("deepened_responses", cell), DEEPENED_RESPONSES.empty())]
                return set_aside(context, store, cell, problems, SELF_CORRECTION_TRACES, dropped=DROPPED, beside=beside)
            attempts = store.read(store.table("attempts", cell))
            law = law_over(asked, law_of(attempts), examples=source.examples, seed=cell.seed)
            located = locate(store.read(store.table("process_labels", cell)), settings.process_labels)
            tried = attempts_of(attempts)
            flawed = flawed_of(located.kept)
            items = [(one, flawed.get(one.problem_id, [])) for one in problems if one.problem_id in tried]
            made, bench = asyncio.run(draw(context, policy, store, cell, items=items, rule=source.answer_rule, law=law))
            store.write_recipe(NAME, cell, plain(law))
            frame = write(store, cell, located=located, made=made, policy=bench.sampler.policy)
            verdicts = store.read(store.table("deepened_responses", cell))["verdicts"].explode()
            return finished(
                Table(asset=NAME, frame=frame, schema=SELF_CORRECTION_TRACES, asked=asked.samples),
                store,
                cell,
                settings.checks,
                checks=[
                    triggers_do_no_harm(transitions_of(made.rows), asked),
                    both_origins(frame),
                    failed_items(len(made.failures), len(items), settings.checks.most_failed),
                    timeouts(verdicts, settings.checks.most_timeouts),
                ],
                metadata=metadata(store, frame, made=made.rows, tried=tried, located=located, law=law),
                bench=bench,
                policy=policy,
            )

    return asset


def law_over(
    asked: SelfCorrectionTracesSettings,
    attempted: tuple[Sampling, int],
    *,
    examples: tuple[Example, ...],
    seed: int,
) -> recipe.SelfCorrectionConfig:
    """The recipe's settings, over the law that the attempts were drawn with; no budget is above a whole response."""
    sampling, attempt_tokens = attempted
    max_tokens = asked.max_tokens or attempt_tokens
    return recipe.SelfCorrectionConfig(
        deepening=IdSamplingConfig(
            n=asked.samples,
            sampling=sampling,
            max_tokens=max_tokens,
            first_budget=min(asked.first_budget, max_tokens),
            growth=asked.growth,
            max_budget=min(asked.max_budget, max_tokens),
            counts=asked.counts,
            at_max=asked.at_max,
            triggers_finished=asked.triggers_finished,
            max_triggers=asked.max_triggers,
            triggers=asked.triggers,
            seed=seed,
            examples=examples,
        ),
        composition=CompositionConfig(
            sampling=sampling,
            max_tokens=attempt_tokens,
            extra_steps=asked.extra_steps,
            lot=asked.lot,
            cap=asked.cap,
            mask=asked.mask,
            seed=seed,
        ),
    )


def plain(law: recipe.SelfCorrectionConfig) -> dict[str, Any]:
    """What the manifest keeps of the recipe; the worked examples are the source's."""
    kept = asdict(law)
    del kept["deepening"]["examples"]
    return kept


def locate(labels: pl.DataFrame, labelled: ProcessLabelsSettings) -> Filtered:
    """The labelled solutions that a correction can be composed of: wrong ones whose first error is known."""
    known = with_labels(labels, hard_threshold=labelled.hard_threshold, confidence=labelled.confidence)
    rules = {
        "right_at_once": pl.col("verdict") != Verdict.EQUAL.value,
        "no_wrong_answer": pl.col("verdict") == Verdict.DIFFERENT.value,
        "first_error_not_sure": pl.col("first_error").is_not_null(),
        "no_first_error": pl.col("first_error") >= 0,
    }
    return apply_rules(known, rules)


async def draw(
    context: dg.AssetExecutionContext,
    policy: PolicyResource,
    store: Store,
    cell: Cell,
    *,
    items: Sequence[Item],
    rule: AnswerRule,
    law: recipe.SelfCorrectionConfig,
) -> tuple[Made, Workbench]:
    """Make the corrections of every problem of the slice through one workbench."""
    async with workbench(context, policy, store, cell, unit="problems", total=len(items)) as bench:

        async def one(item: Item) -> recipe.CorrectedProblem:
            problem, flawed = item
            return await recipe.correct(
                problem, flawed, sampler=bench.sampler, checker=bench.checker, rule=rule, config=law
            )

        window = policy.settings.in_flight
        return await run_recipe(one, items, window=window, on_done=bench.progress.update), bench


def write(store: Store, cell: Cell, *, located: Filtered, made: Made, policy: str) -> pl.DataFrame:
    """Write the corrections, all responses, and what gave no correction with its reason; gives the first."""
    provenance = cell.provenance(policy)
    frame = self_correction_traces_table((one for row in made.rows for one in row.corrections), provenance)
    responses = deepened_responses_table(((row.problem, one) for row in made.rows for one in row.responses), provenance)
    rows: list[tuple[str, str | None, int | None, str, str]] = [
        (one.problem_id, one.origin, one.attempt_index, one.reason, "")
        for row in made.rows
        for one in row.not_corrected
    ]
    rows += [(failed.item[0].problem_id, None, None, "refused", failed.message) for failed in made.failures]
    unplaced = located.dropped.with_columns(origin=pl.lit("composed"), detail=pl.lit("")).select(*DROPPED)
    dropped = pl.concat([unplaced, pl.DataFrame(rows, schema=DROPPED, orient="row")])
    store.write(store.table(NAME, cell), frame)
    store.write(store.table("deepened_responses", cell), responses)
    store.write(store.dropped(NAME, cell), dropped)
    return frame


def triggers_do_no_harm(
    moves: Mapping[tuple[State, State], int], asked: SelfCorrectionTracesSettings
) -> dg.AssetCheckResult:
    """Whether few enough of the right answers that a trigger was put behind were right no more after it."""
    after = {behind: n for (before, behind), n in moves.items() if before == "right"}
    at_risk = sum(after.values())
    broken = after.get("wrong", 0) + after.get("no_answer", 0)
    return check(
        "triggers_do_no_harm",
        broken <= asked.max_broken_share * at_risk,
        f"{broken} of {at_risk} right answers were broken by a trigger, a share of {asked.max_broken_share} at most",
        blocks=False,
        figures={"right_before": at_risk, "broken": broken, "max_broken_share": asked.max_broken_share},
    )


def both_origins(frame: pl.DataFrame) -> dg.AssetCheckResult:
    """Whether the policy mended itself at times, and some of its wrong steps could be mended for it."""
    counts = {origin: frame.filter(pl.col("origin") == origin).height for origin in ("sampled", "composed")}
    told = " and ".join(f"{count} {origin}" for origin, count in counts.items())
    return check("both_origins", all(counts.values()), f"{told} rows", blocks=False, figures=counts)
