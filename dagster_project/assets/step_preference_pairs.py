"""Step preference pairs of one slice: a right next step and the wrong one behind the same good prefix."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from dagster_project import report
from dagster_project.checks import check, failed_items, specs
from dagster_project.dataset_settings import ProcessLabelsSettings, StepPreferencePairsSettings
from dagster_project.failures import explained
from dagster_project.finishing import Table, finished
from dagster_project.partitions import Cell, cell_of
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.store import Store
from dagster_project.settings.file import Settings
from dagster_project.unanswered import nothing_to_verify, set_aside
from dagster_project.workbench import Workbench, workbench
from filters.answers.checker import AnswerRule
from filters.rules import Filtered
from filters.schema import SchemaError
from generators.attempts.table import law_of
from generators.engine.protocol import Sampling
from generators.problems.table import problems_of
from generators.process_labels.labels import with_labels
from generators.records import Problem
from generators.sampling.runner import Outcome, run_recipe
from generators.search.margins import UNVERIFIED, MarginTest
from generators.step_preference_pairs import recipe
from generators.step_preference_pairs.located_errors import ErrorBounds, located_errors
from generators.step_preference_pairs.records import LocatedError
from generators.step_preference_pairs.table import STEP_PREFERENCE_PAIRS, errors_of, step_pairs_table

DROPPED = {
    "problem_id": pl.String,
    "attempt_index": pl.Int64,
    "step_index": pl.Int64,
    "chosen_index": pl.Int64,
    "reason": pl.String,
    "detail": pl.String,
}
Item = tuple[Problem, Sequence[LocatedError]]
Made = Outcome[Item, recipe.PairedProblem]


def step_preference_pairs(settings: Settings, grid: dg.MultiPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset, with the settings' numbers as the Launchpad's defaults."""
    defaults = settings.step_preference_pairs
    slices = settings.slices()

    class StepPreferencePairsRun(dg.Config):
        """What names the first wrong step, and what a pair may cost; rollouts follow the attempts' own law."""

        localiser: recipe.Localiser = Field(defaults.localiser, description="what names the first wrong step")
        candidates: int = Field(defaults.candidates, ge=1, description="continuations of a prefix that are looked at")
        pairs_per_error: int = Field(defaults.pairs_per_error, ge=1, description="pairs of one prefix at most")
        min_margin: float = Field(defaults.min_margin, gt=0, lt=1, description="by how much the steps differ at least")
        cap: int = Field(defaults.cap, ge=1, description="rollouts that value one step at most")

    @dg.asset(
        name="step_preference_pairs",
        partitions_def=grid,
        deps=["problems", "attempts", "process_labels"],
        group_name="preferences",
        kinds={"vllm", "parquet"},
        pool="gpu",
        code_version=recipe.VERSION,
        check_specs=specs("step_preference_pairs", blocking=["failed_items"], warning=["sides_verified"]),
    )
    def asset(
        context: dg.AssetExecutionContext, config: StepPreferencePairsRun, policy: PolicyResource, store: Store
    ) -> dg.MaterializeResult:
        """A right prefix, the right next step and the wrong one, each step valued by rollouts."""
        cell = cell_of(context)
        source, _ = slices[cell.slice]
        asked = StepPreferencePairsSettings.model_validate(defaults.model_dump() | config.model_dump())
        with explained():
            problems = problems_of(store.read(store.table("problems", cell)))
            if nothing_to_verify(problems):
                return set_aside(context, store, cell, problems, STEP_PREFERENCE_PAIRS, dropped=DROPPED)
            law = law_over(asked, law_of(store.read(store.table("attempts", cell))))
            labels = store.read(store.table("process_labels", cell))
            errors = locate(labels, asked, settings.process_labels)
            items = items_of(problems, errors_of(errors.kept))
            made, bench = asyncio.run(draw(context, policy, store, cell, items=items, rule=source.answer_rule, law=law))
            store.write_recipe("step_preference_pairs", cell, asdict(law) | {"localiser": asked.localiser})
            frame = write(store, cell, errors=errors, made=made, asked=asked, policy=bench.sampler.policy)
            return finished(
                Table(asset="step_preference_pairs", frame=frame, schema=STEP_PREFERENCE_PAIRS),
                store,
                cell,
                settings.checks,
                checks=[
                    sides_verified(frame, store.read(store.dropped("step_preference_pairs", cell))),
                    failed_items(len(made.failures), len(items), settings.checks.most_failed),
                ],
                metadata=metadata(store, frame),
                bench=bench,
                policy=policy,
            )

    return asset


def law_over(asked: StepPreferencePairsSettings, attempted: tuple[Sampling, int]) -> recipe.StepPairsConfig:
    """The recipe's settings, over the law that the attempts were drawn with."""
    sampling, max_tokens = attempted
    return recipe.StepPairsConfig(
        sampling=sampling,
        max_tokens=max_tokens,
        candidates=asked.candidates,
        lot=asked.lot,
        pairs_per_error=asked.pairs_per_error,
        longest_step=asked.longest_step,
        test=MarginTest(least=asked.min_margin, lot=asked.lot, cap=asked.cap),
    )


def locate(labels: pl.DataFrame, asked: StepPreferencePairsSettings, labelled: ProcessLabelsSettings) -> Filtered:
    """The wrong solutions whose first error is known; raises SchemaError where no judge was asked and one is needed."""
    bounds = ErrorBounds(
        least_pass_rate=asked.least_pass_rate,
        most_pass_rate=asked.most_pass_rate,
        min_steps=labelled.min_steps,
        max_steps=labelled.max_steps,
        longest_step=asked.longest_step,
    )
    if asked.localiser == "labels":
        known = with_labels(labels, hard_threshold=labelled.hard_threshold, confidence=labelled.confidence)
        return located_errors(known, first_error="first_error", bounds=bounds)
    if not _is_judged(labels):
        raise SchemaError(
            "process_labels has no judgement in judge_first_error: have a judge label the solutions, or set "
            "step_preference_pairs.localiser to 'labels'"
        )
    return located_errors(labels, first_error="judge_first_error", bounds=bounds)


def _is_judged(labels: pl.DataFrame) -> bool:
    """Whether there is a judge's word on any solution, where there are solutions."""
    if "judge_first_error" not in labels.columns:
        return False
    return labels.is_empty() or labels["judge_first_error"].is_not_null().any()


def items_of(problems: Sequence[Problem], errors: dict[str, list[LocatedError]]) -> list[Item]:
    """Every problem with an error, in the problems' order."""
    return [(problem, errors[problem.problem_id]) for problem in problems if problem.problem_id in errors]


async def draw(
    context: dg.AssetExecutionContext,
    policy: PolicyResource,
    store: Store,
    cell: Cell,
    *,
    items: Sequence[Item],
    rule: AnswerRule,
    law: recipe.StepPairsConfig,
) -> tuple[Made, Workbench]:
    """Make the pairs of every problem of the slice through one workbench."""
    async with workbench(context, policy, store, cell, unit="problems", total=len(items)) as bench:

        async def one(item: Item) -> recipe.PairedProblem:
            problem, errors = item
            return await recipe.pair_steps(
                problem, errors, sampler=bench.sampler, checker=bench.checker, rule=rule, config=law
            )

        window = policy.settings.in_flight
        return await run_recipe(one, items, window=window, on_done=bench.progress.update), bench


def write(
    store: Store, cell: Cell, *, errors: Filtered, made: Made, asked: StepPreferencePairsSettings, policy: str
) -> pl.DataFrame:
    """Write the pairs, and all that gave none with its reason; gives the pairs."""
    pairs = [pair for row in made.rows for pair in row.pairs]
    frame = step_pairs_table(pairs, asked.localiser, cell.provenance(policy))
    reasons = [(one.error, one.chosen_index, one.reason, "") for row in made.rows for one in row.passed_over]
    reasons += [(error, None, "refused", failed.message) for failed in made.failures for error in failed.item[1]]
    rows = [(error.problem_id, error.attempt_index, error.step_index, *why) for error, *why in reasons]
    unplaced = errors.dropped.with_columns(chosen_index=pl.lit(None, pl.Int64), detail=pl.lit("")).select(*DROPPED)
    dropped = pl.concat([unplaced, pl.DataFrame(rows, schema=DROPPED, orient="row")])
    store.write(store.table("step_preference_pairs", cell), frame)
    store.write(store.dropped("step_preference_pairs", cell), dropped)
    return frame


def metadata(store: Store, frame: pl.DataFrame) -> dict[str, Any]:
    """What the UI shows of the pairs: counts, margins, what gave no pair, sample rows."""
    places = Counter(f"step {index + 1}" for index in frame["step_index"].to_list())
    return {
        "release": dg.MetadataValue.path(str(store.releases / "step_preference_pairs")),
        "problems": frame["problem_id"].n_unique(),
        "margins": report.histogram(frame["margin"].to_list(), title="Margin per pair", x="margin", y="pairs"),
        "first_wrong_steps": report.counts(places),
        "rollouts_per_pair": frame["n_rollouts"].sum() / max(1, frame.height),
        "stable_boundaries": int(frame["is_stable"].sum()),
        "sample_rows": report.sample_rows(
            frame, ("prompt", "initial_reason_steps", "chosen", "rejected", "margin", "margin_low", "margin_high")
        ),
    }


def sides_verified(frame: pl.DataFrame, dropped: pl.DataFrame) -> dg.AssetCheckResult:
    """Whether at least half of the measured pairs hold; with fewer, errors are named where they are not."""
    unverified = dropped.filter(pl.col("reason").is_in(UNVERIFIED)).height
    return check(
        "sides_verified",
        frame.height > 0 and frame.height >= unverified,
        f"{frame.height} measured pairs hold, {unverified} do not",
        blocks=False,
        figures={"verified": frame.height, "unverified": unverified},
    )
