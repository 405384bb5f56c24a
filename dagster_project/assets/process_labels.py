"""Process labels of one slice: where the chosen solutions first go wrong, and what each of their steps is worth."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from dagster_project import report
from dagster_project.checks import check, failed_items, share_in_bounds, specs
from dagster_project.dataset_settings import ProcessLabelsSettings, StrategyName
from dagster_project.failures import explained
from dagster_project.finishing import Table, finished
from dagster_project.judging import Judged, second_opinion
from dagster_project.labelling import Audited, Item, Labelled, label_slice
from dagster_project.partitions import Cell, cell_of
from dagster_project.resources.judge import JudgeResource
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.store import Store
from dagster_project.settings.file import Settings
from dagster_project.settings.operations import CheckSettings
from dagster_project.unanswered import nothing_to_verify, set_aside
from dagster_project.workbench import Workbench, workbench
from filters.answers.checker import AnswerRule
from generators.attempts.fit import fit_to_label
from generators.attempts.table import attempts_of, law_of
from generators.problems.table import problems_of
from generators.process_labels import judge as judge_recipe
from generators.process_labels import recipe
from generators.process_labels.audit import planted
from generators.process_labels.audit.audit import Audit, audit, audit_by_kind
from generators.process_labels.labels import count_labels, with_labels
from generators.process_labels.table import PROCESS_LABELS, process_labels_table, with_judgements
from generators.records import Attempt, Problem
from generators.search.tree_picture import tree_picture
from generators.search.tree_table import SEARCH_TREES, search_trees_table

DROPPED = {"problem_id": pl.String, "attempt_index": pl.Int64, "reason": pl.String, "detail": pl.String}
AUDIT = {
    "problem_id": pl.String,
    "attempt_index": pl.Int64,
    "kind": pl.String,
    "planted": pl.Int64,
    "found": pl.Int64,
    "n_rollouts": pl.Int64,
    "original_step": pl.String,
    "planted_step": pl.String,
}
Choice = tuple[Problem, recipe.Chosen]


def process_labels(settings: Settings, grid: dg.MultiPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset, with the settings' numbers as the Launchpad's defaults."""
    defaults = settings.process_labels
    slices = settings.slices()

    class ProcessLabelsRun(dg.Config):
        """How the first wrong step is searched, and in how many solutions; rollouts follow the attempts' own law."""

        strategy: StrategyName = Field(defaults.strategy, description="how rollouts are spread over the steps")
        cap: int = Field(defaults.cap, ge=1, description="sequential_test: rollouts per solution at most")
        rollouts_per_step: int = Field(defaults.rollouts_per_step, ge=1, description="exhaustive, omegaprm: per step")
        solutions_per_problem: int = Field(defaults.solutions_per_problem, ge=1, description="solutions labelled")
        audit: int = Field(defaults.audit, ge=0, description="solutions with a planted error, searched beside them")

    @dg.asset(
        name="process_labels",
        partitions_def=grid,
        deps=["problems", "attempts"],
        group_name="process_labels",
        kinds={"vllm", "parquet"},
        pool="gpu",
        code_version=f"{recipe.VERSION}.{planted.VERSION}.{judge_recipe.VERSION}",
        check_specs=specs("process_labels", blocking=["label_balance", "planted_errors_found", "failed_items"]),
    )
    def asset(
        context: dg.AssetExecutionContext,
        config: ProcessLabelsRun,
        policy: PolicyResource,
        judge: JudgeResource,
        store: Store,
    ) -> dg.MaterializeResult:
        """Solutions in steps, each step with its counts of right continuations and what follows from them."""
        cell = cell_of(context)
        source, _ = slices[cell.slice]
        asked = defaults.model_copy(update=config.model_dump())
        with explained():
            problems = problems_of(store.read(store.table("problems", cell)))
            if nothing_to_verify(problems):
                beside = [
                    (store.table("search_trees", cell), SEARCH_TREES.empty()),
                    (store.audit(cell), pl.DataFrame(schema=AUDIT)),
                ]
                return set_aside(context, store, cell, problems, PROCESS_LABELS, dropped=DROPPED, beside=beside)
            attempts = store.read(store.table("attempts", cell))
            sampling, max_tokens = law_of(attempts)
            law = recipe.ProcessLabelsConfig(
                sampling=sampling,
                max_tokens=max_tokens,
                solutions_per_problem=asked.solutions_per_problem,
                min_steps=asked.min_steps,
                max_steps=asked.max_steps,
            )
            fit = fit_to_label(attempts, settings.quality.solutions)
            chosen = choose(problems, attempts_of(fit.kept), policy, law)
            items = items_of(chosen, attempts_of(attempts))
            labelled, bench = asyncio.run(
                draw(context, policy, store, cell, items=items, rule=source.answer_rule, asked=asked, law=law)
            )
            judged = second_opinion(context, judge, policy, store, cell, labelled.solutions)
            made_with = {"strategy": labelled.strategy.plain(), "quality": settings.quality.model_dump()}
            made_with |= {"judge": judged.plain()} if judged else {}
            store.write_recipe("process_labels", cell, asdict(law) | made_with)
            frame = write(
                store,
                cell,
                unfit=fit.dropped,
                chosen=chosen,
                labelled=labelled,
                judged=judged,
                policy=bench.sampler.policy,
            )
            found = audit_table(labelled.audited, cell, bench.sampler.policy, asked)
            store.write(store.audit(cell), found)
            n_chosen = sum(bool(item.chosen) for item in items)
            return finished(
                Table(asset="process_labels", frame=frame, schema=PROCESS_LABELS, asked=asked.solutions_per_problem),
                store,
                cell,
                settings.checks,
                checks=[
                    label_balance(labels_of(frame, asked), settings.checks),
                    planted_errors_found(found, settings.checks),
                    failed_items(len(labelled.made.failures), n_chosen, settings.checks.most_failed),
                ],
                metadata=metadata(store, cell, frame, found, labelled, asked)
                | (judged.metadata(labels_of(frame, asked)) if judged else {}),
                bench=bench,
                policy=policy,
            )

    return asset


def choose(
    problems: Sequence[Problem],
    attempts: dict[str, list[Attempt]],
    policy: PolicyResource,
    law: recipe.ProcessLabelsConfig,
) -> list[Choice]:
    """The solutions to label, problem by problem."""
    tokenizer = policy.identity().tokenizer
    return [
        (problem, recipe.choose(attempts.get(problem.problem_id, []), tokenizer=tokenizer, config=law))
        for problem in problems
    ]


def items_of(chosen: Sequence[Choice], attempts: dict[str, list[Attempt]]) -> list[Item]:
    """Every problem that was attempted, with all its attempts and the chosen ones."""
    return [
        Item(problem, tuple(attempts[problem.problem_id]), choice.attempts)
        for problem, choice in chosen
        if problem.problem_id in attempts
    ]


async def draw(
    context: dg.AssetExecutionContext,
    policy: PolicyResource,
    store: Store,
    cell: Cell,
    *,
    items: Sequence[Item],
    rule: AnswerRule,
    asked: ProcessLabelsSettings,
    law: recipe.ProcessLabelsConfig,
) -> tuple[Labelled, Workbench]:
    """Label every chosen solution of the slice through one workbench."""
    async with workbench(context, policy, store, cell, unit="problems", total=len(items)) as bench:
        window = policy.settings.in_flight
        return await label_slice(items, bench, settings=asked, rule=rule, config=law, window=window), bench


def write(
    store: Store,
    cell: Cell,
    *,
    unfit: pl.DataFrame,
    chosen: Sequence[Choice],
    labelled: Labelled,
    judged: Judged | None,
    policy: str,
) -> pl.DataFrame:
    """Write the labelled solutions, the search trees, and the attempts that were passed over; gives the first."""
    provenance = cell.provenance(policy)
    frame = process_labels_table(labelled.solutions, provenance)
    if judged:
        frame = with_judgements(frame, judged.judgements, judged.judge)
    dropped = [(attempt, reason, "") for _, choice in chosen for attempt, reason in choice.passed_over]
    dropped += [(one, "refused", failure.message) for failure in labelled.made.failures for one in failure.item.chosen]
    rows = [(attempt.problem_id, attempt.attempt_index, reason, detail) for attempt, reason, detail in dropped]
    passed_over = pl.DataFrame(rows, schema=DROPPED, orient="row")
    noted = unfit.with_columns(pl.lit("").alias("detail")).select(passed_over.columns)
    store.write(store.table("process_labels", cell), frame)
    store.write(store.table("search_trees", cell), search_trees_table((m.tree for m in labelled.made.rows), provenance))
    store.write(store.dropped("process_labels", cell), pl.concat([noted, passed_over]))
    return frame


def labels_of(frame: pl.DataFrame, asked: ProcessLabelsSettings) -> pl.DataFrame:
    """The rows with their labels, as a release would derive them."""
    return with_labels(frame, hard_threshold=asked.hard_threshold, confidence=asked.confidence)


def audit_table(audited: Sequence[Audited], cell: Cell, policy: str, asked: ProcessLabelsSettings) -> pl.DataFrame:
    """One row per planted error: where it was planted, where it was found (-1 nowhere, null not sure), what it cost."""
    labels = labels_of(process_labels_table([one.labelled for one in audited], cell.provenance(policy)), asked)
    rows = [
        {
            "problem_id": one.planted.problem.problem_id,
            "attempt_index": one.planted.attempt.attempt_index,
            "kind": one.planted.kind,
            "planted": one.planted.first_error,
            "found": found,
            "n_rollouts": sum(counts.n_rollouts for counts in one.labelled.counts[:-1]),
            "original_step": one.planted.original_step,
            "planted_step": one.planted.planted_step,
        }
        for one, found in zip(audited, labels["first_error"], strict=True)
    ]
    return pl.DataFrame(rows, schema=AUDIT)


def audit_of(found: pl.DataFrame) -> Audit:
    """What was found of all planted errors."""
    return audit(found["found"].to_list(), found["planted"].to_list())


def metadata(
    store: Store,
    cell: Cell,
    frame: pl.DataFrame,
    found: pl.DataFrame,
    labelled: Labelled,
    asked: ProcessLabelsSettings,
) -> dict[str, Any]:
    """What the UI shows of the labels: counts, the audit, pictures of values, errors and one tree, sample rows."""
    labels = labels_of(frame, asked)
    counts = count_labels(labels)
    lengths = Counter(f"{steps} steps" for steps in frame["steps"].list.len().to_list())
    values = labels["soft_labels"].explode().drop_nulls().to_list()
    rollouts = frame["n_rollouts"].list.sum().to_list()
    first = Counter(
        "not sure" if place is None else "none" if place < 0 else "found" for place in labels["first_error"]
    )
    by_kind = audit_by_kind(*(found[name].to_list() for name in ("found", "planted", "kind")))
    return {
        "release": dg.MetadataValue.path(str(store.releases / "process_labels")),
        "strategy": labelled.strategy.name,
        "steps": report.counts(counts),
        "first_errors": report.counts(first),
        "rollouts_per_solution": sum(rollouts) / max(1, len(rollouts)),
        "step_values": report.histogram(values, title="Value per step", x="value", y="steps"),
        "stop_reasons": report.counts(Counter(frame["stop_reasons"].explode().drop_nulls().to_list())),
        "steps_per_solution": report.counts(lengths),
        "audit": report.facts(audit_of(found).facts()),
        "audit_by_kind": report.facts({kind: one.recall for kind, one in by_kind.items()}),
        "search_tree": report.picture("A search tree", _tree(labelled), kind="svg+xml"),
        "sample_rows": report.sample_rows(
            labels, ("prompt", "steps", "n_correct", "n_rollouts", "values", "first_error", "verdict")
        ),
    }


def _tree(labelled: Labelled) -> bytes:
    """The tree with the most nodes: the one with most to see."""
    trees = [made.tree for made in labelled.made.rows]
    return tree_picture(max(trees, key=len)).encode() if trees else b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def label_balance(labels: pl.DataFrame, bounds: CheckSettings) -> dg.AssetCheckResult:
    """Whether there are enough steps of the rarer label: a reward model learns nothing from one."""
    counts = count_labels(labels)
    return share_in_bounds(
        "label_balance",
        min(counts["right"], counts["wrong"]),
        counts["right"] + counts["wrong"],
        least=bounds.least_label,
        what="labelled steps that have the rarer label",
    )


def planted_errors_found(found: pl.DataFrame, bounds: CheckSettings) -> dg.AssetCheckResult:
    """Whether enough of the steps that the audit's labels name are the planted ones; a few are no evidence and warn."""
    audited = audit_of(found)
    precision = audited.precision
    why = (
        f"{audited.exact} of {audited.n_named} named steps are the planted ones, bound {bounds.least_planted:g} wanted"
    )
    return check(
        "planted_errors_found",
        precision is not None and precision >= bounds.least_planted,
        why,
        blocks=audited.n_named >= bounds.few_planted,
        figures={name: value for name, value in audited.facts().items() if value is not None},
    )
