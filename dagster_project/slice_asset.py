"""A stage as an asset over rounds x slices: Launchpad, checks, tables on disk, recipe, cost, scorecard, metadata."""

import asyncio
import copy
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from pydantic import create_model

from dagster_project import report
from dagster_project.checks import (
    failed_items,
    in_line,
    names,
    result,
    rows_of_the_slice,
    schema_holds,
    specs,
    yield_in_bounds,
)
from dagster_project.failures import explained
from dagster_project.freshness import made_from
from dagster_project.partitions import Cell, cell_of
from dagster_project.resources.judge import JudgeResource
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.reward import RewardResource
from dagster_project.resources.store import SET_ASIDE, Store
from dagster_project.running.listener import NOBODY, Listener
from dagster_project.scorecard import CheckOutcome, Scorecard, add_cost, read_scorecard
from dagster_project.settings.file import Settings
from dagster_project.slice import RunSlice
from generators.checks import Check
from generators.engine.errors import EngineMisconfigured
from generators.preflight import no_findings
from generators.section import KNOB, Section, merged
from generators.shown import Folder, Shown
from generators.stage import Output, Stage

NO_ANSWERS = "no_answer_to_verify"
WHY_SET_ASIDE = "the source has no answers, and these rows need a verdict: nothing is drawn"


def slice_asset(
    stage: Stage[Any],
    settings: Settings,
    grid: dg.MultiPartitionsDefinition,
    *,
    is_published: bool,
    listener: Listener = NOBODY,
) -> dg.AssetsDefinition:
    """The asset of a stage; its Launchpad shows the knobs of the stage's section."""
    defaults: Section = settings.section(stage.name)
    knobs = launchpad(stage.name, defaults)

    def run(
        context: dg.AssetExecutionContext,
        changes: Mapping[str, Any],
        policy: PolicyResource,
        judge: JudgeResource,
        reward: RewardResource,
        store: Store,
    ) -> dg.MaterializeResult:
        work = RunSlice(
            context=context,
            all_settings=settings,
            store=store,
            cell=cell_of(context),
            policy_resource=policy,
            judge_resource=judge,
            reward_resource=reward,
            listener=listener,
        )
        with explained():
            if stage.needs_answers and _without_answers(work):
                return _set_aside(stage, work)
            section = merged(defaults, changes)
            output = asyncio.run(_made(stage, work, section))
            _write(stage, work, output, {"settings": section.recipe(), "config": dict(output.config)})
            extra = {"release": Folder(str(store.releases / stage.name))} if is_published else {}
            return _finished(stage, work, section, output, extra)

    def with_launchpad(
        context: dg.AssetExecutionContext,
        config: knobs,  # type: ignore[valid-type]  # a class of its own for each stage
        policy: PolicyResource,
        judge: JudgeResource,
        reward: RewardResource,
        store: Store,
    ) -> dg.MaterializeResult:
        changes: dict[str, Any] = config.model_dump()  # type: ignore[attr-defined]
        return run(context, changes, policy, judge, reward, store)

    def without_launchpad(
        context: dg.AssetExecutionContext,
        policy: PolicyResource,
        judge: JudgeResource,
        reward: RewardResource,
        store: Store,
    ) -> dg.MaterializeResult:
        return run(context, {}, policy, judge, reward, store)

    asset = dg.asset(
        name=stage.name,
        description=stage.title,
        partitions_def=grid,
        deps=list(stage.needs),
        group_name=stage.group,
        kinds=set(stage.kinds),
        pool="gpu" if stage.needs_gpu else None,
        code_version=stage.version,
        check_specs=specs(stage),
    )
    return asset(with_launchpad if type(defaults).knobs() else without_launchpad)


async def _made(stage: Stage[Any], work: RunSlice, section: Section) -> Output:
    """The output of the stage, unless it is known before anything is drawn that the stage cannot work."""
    if stage.preflight is not no_findings:
        found = list(stage.preflight(await work.preflight(), section))
        for finding in found:
            if not finding.blocks:
                work.warn(finding.sentence)
        if refused := [finding.sentence for finding in found if finding.blocks]:
            raise EngineMisconfigured("; ".join(refused))
    return await stage.make(work, section)


def launchpad(stage: str, defaults: Section) -> type[dg.Config]:
    """The Launchpad fields of a section: its knobs, with the settings' values as defaults."""
    fields: dict[str, Any] = {}
    for name, declared in type(defaults).knobs().items():
        field = copy.copy(declared)
        field.default = getattr(defaults, name)
        field.metadata = [entry for entry in declared.metadata if entry != KNOB]
        fields[name] = (declared.annotation, field)
    title = "".join(word.capitalize() for word in stage.split("_"))
    return create_model(f"{title}Run", __base__=dg.Config, __doc__=type(defaults).__doc__, **fields)


def _without_answers(work: RunSlice) -> bool:
    problems = work.problems()
    return bool(problems) and not any(problem.has_answer for problem in problems)


def _set_aside(stage: Stage[Any], work: RunSlice) -> dg.MaterializeResult:
    """Write empty tables, drop every problem for one reason, and pass every check."""
    texts = {"reason": NO_ANSWERS, "detail": WHY_SET_ASIDE}
    reasons = {name: text for name, text in texts.items() if name in stage.dropped.columns}
    optional = dict.fromkeys(stage.dropped.columns)
    problems = work.problems()
    dropped = stage.dropped.frame([{**optional, "problem_id": problem.problem_id, **reasons} for problem in problems])
    beside = {schema.name: schema.empty() for schema in stage.beside}
    _write(stage, work, Output(rows=stage.schema.empty(), dropped=dropped, beside=beside), {SET_ASIDE: NO_ANSWERS})
    per_problem = stage.per_problem(work.all_settings.section(stage.name))
    add_cost(work.store, stage.name, work.cell, problems=len(problems), per_problem=per_problem, benches=[])
    work.say(f"{stage.name}: {len(problems)} problems are set aside: {WHY_SET_ASIDE}")
    others = [
        Check(name=name, passed=True, why=WHY_SET_ASIDE, remedy="", blocks=blocks)
        for name, blocks in names(stage).items()
        if name != "schema"
    ]
    holds = schema_holds(work.store.table(stage.name, work.cell), stage.schema)
    return _concluded(stage, work, [holds, *others], figures={}, metadata={SET_ASIDE: WHY_SET_ASIDE})


def _write(stage: Stage[Any], work: RunSlice, output: Output, recipe: dict[str, Any]) -> None:
    """Write the recipe first, then every table."""
    store, cell = work.store, work.cell
    declared = {schema.name for schema in stage.beside}
    if declared != output.beside.keys():
        raise RuntimeError(f"{stage.name} declares the tables {sorted(declared)}, made {sorted(output.beside)}")
    store.write_recipe(stage.name, cell, recipe)
    store.write(store.table(stage.name, cell), output.rows)
    store.write(store.dropped(stage.name, cell), output.dropped)
    for name, frame in output.beside.items():
        store.write(store.table(name, cell), frame)


def _finished(
    stage: Stage[Any], work: RunSlice, section: Section, output: Output, extra: Mapping[str, Shown]
) -> dg.MaterializeResult:
    """The checks, the cost and the figures of a finished slice."""
    store, cell, bounds = work.store, work.cell, work.all_settings.checks
    problems = work.table("problems").select("problem_id")
    cost = add_cost(
        store,
        stage.name,
        cell,
        problems=problems.height,
        per_problem=stage.per_problem(section),
        benches=work.benches,
    )
    with_row = output.rows["problem_id"].n_unique()
    total = problems.height if output.of is None else output.of
    figures = {"yield": with_row / max(1, total), **output.figures}
    if work.benches:
        figures["tokens_per_kept_row"] = cost.tokens / max(1, output.rows.height)
    checks = [
        schema_holds(store.table(stage.name, cell), stage.schema),
        yield_in_bounds(stage, with_row, total, output.dropped, bounds),
        *output.checks,
    ]
    if not any(check.name == "contamination" for check in checks):
        checks.append(rows_of_the_slice(output.rows, problems))
    if stage.samples:
        checks.append(failed_items(output.n_failed, output.n_items, output.dropped, bounds.most_failed))
    checks.append(in_line(figures, _other_figures(work, stage.name), bounds.drift))
    _require_declared(stage, checks)
    metadata = report.drawn({**extra, **output.shown})
    if work.benches:
        metadata |= work.benches[-1].usage() | {"tokens_so_far": cost.tokens}
    if stage.needs_gpu:
        metadata |= work.policy_resource.metadata()
    return _concluded(stage, work, checks, figures=figures, metadata=metadata, data_version=output.data_version)


def _require_declared(stage: Stage[Any], checks: Sequence[Check]) -> None:
    """Raise RuntimeError unless a stage made each declared check once, and lets none block that only warns."""
    declared = names(stage)
    made = sorted(check.name for check in checks)
    if made != sorted(declared):
        raise RuntimeError(f"{stage.name} declares the checks {sorted(declared)}, made {made}")
    loud = [check.name for check in checks if check.blocks and not declared[check.name]]
    if loud:
        raise RuntimeError(f"{stage.name} declares {', '.join(loud)} as a warning: its check must have blocks=False")


def _concluded(
    stage: Stage[Any],
    work: RunSlice,
    checks: Sequence[Check],
    *,
    figures: Mapping[str, float],
    metadata: Mapping[str, Any],
    data_version: str | None = None,
) -> dg.MaterializeResult:
    """Write the scorecard and give the result, with the metadata that every table has."""
    store, cell = work.store, work.cell
    rows, dropped = work.table(stage.name), store.read(store.dropped(stage.name, cell))
    origin = made_from(stage, work.all_settings, store, cell, policy=work.policy.name if stage.needs_gpu else "")
    card = Scorecard(rows=rows.height, figures=figures, checks=tuple(map(CheckOutcome.of, checks)), made_from=origin)
    card.write(store, stage.name, cell)
    shared = report.table(store.table(stage.name, cell), rows, stage.schema) | {
        "rows_kept": rows.height,
        "rows_dropped": dropped.height,
        "dropped": report.dropped(dropped),
        "figures": report.facts(figures),
    }
    version = None if data_version is None else dg.DataVersion(data_version)
    return dg.MaterializeResult(
        metadata=shared | dict(metadata), check_results=[result(check) for check in checks], data_version=version
    )


def _other_figures(work: RunSlice, stage: str) -> list[Mapping[str, float]]:
    """The figures of the same slice in the other rounds that have it."""
    cells = [Cell(round=key, slice=work.key) for key in work.store.rounds(stage) if key != work.cell.round]
    cards = [read_scorecard(work.store, stage, cell) for cell in cells]
    return [card.figures for card in cards if card is not None]
