"""A stage as an asset over rounds x slices: its place in the graph, its Launchpad, its run."""

import asyncio
import copy
from collections.abc import Mapping
from typing import Any

import dagster as dg
from pydantic import create_model

from dagster_project.about import about
from dagster_project.checks import (
    specs,
)
from dagster_project.failures import explained
from dagster_project.partitions import cell_of
from dagster_project.resources.judge import JudgeResource
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.reward import RewardResource
from dagster_project.resources.store import Store
from dagster_project.running.listener import NOBODY, Listener
from dagster_project.running.signals import hangup_as_termination
from dagster_project.settings.file import Settings
from dagster_project.slice import RunSlice
from dagster_project.slice_result import finished, set_aside, write
from generators.dataset import Dataset
from generators.datasets import parents, skipped_between
from generators.engine.errors import EngineMisconfigured
from generators.preflight import no_findings
from generators.section import KNOB, Section, merged
from generators.shown import Folder
from generators.stage import Output, Stage


def slice_asset(
    stage: Stage[Any],
    settings: Settings,
    grid: dg.MultiPartitionsDefinition,
    dataset: Dataset[Any] | None,
    *,
    listener: Listener = NOBODY,
) -> dg.AssetsDefinition:
    """The asset of a stage, and of a dataset if it is published; its Launchpad shows the knobs of the section."""
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
        with explained(), hangup_as_termination():
            _require_order(stage, context)
            if stage.needs_answers and _without_answers(work):
                return set_aside(stage, work)
            section = merged(defaults, changes)
            with work.scratch():
                output = asyncio.run(_made(stage, work, section))
                write(stage, work, output, {"settings": section.recipe(), "config": dict(output.config)})
            extra = {"release": Folder(str(store.releases / stage.name))} if dataset else {}
            return finished(stage, work, section, output, extra)

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
        deps=list(parents(stage.needs)),
        group_name=stage.group,
        kinds=set(stage.kinds),
        pool="gpu" if stage.needs_gpu else None,
        code_version=stage.version,
        check_specs=specs(stage, grid),
        owners=settings.releases.owners,
        metadata=about(dataset, settings),
    )
    return asset(with_launchpad if type(defaults).knobs() else without_launchpad)


def _require_order(stage: Stage[Any], context: dg.AssetExecutionContext) -> None:
    """Raise dg.Failure if the run makes a stage and a need of it, but not what lies between and puts them in order."""
    selected = context.run.asset_selection
    skipped = skipped_between(stage, {key.to_user_string() for key in selected}) if selected else ()
    if skipped:
        raise dg.Failure(
            f"this run makes {stage.name} and tables that it depends on, but not {', '.join(skipped)} between them: "
            "select these too",
            allow_retries=False,
        )


async def _made(stage: Stage[Any], work: RunSlice, section: Section) -> Output:
    """The output of the stage, unless it is known before anything is drawn that the stage cannot work."""
    found = list(work.unanswered()) if stage.continues_attempts else []
    if stage.preflight is not no_findings:
        found += stage.preflight(await work.preflight(), section)
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
