"""A stage as an asset over rounds x slices: its place in the graph, its Launchpad, its run."""

import copy
from collections.abc import Sequence
from typing import Any

import dagster as dg
from pydantic import create_model

from dagster_project.about import about
from dagster_project.checks import specs
from dagster_project.resources.judge import JudgeResource
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.reward import RewardResource
from dagster_project.resources.store import Store
from dagster_project.running.listener import NOBODY, Listener
from dagster_project.settings.file import Settings
from dagster_project.slice_run import SliceRun
from dagster_project.workshop import Workshop
from generators.dataset import Dataset
from generators.datasets import TURNS, parents
from generators.section import KNOB, Section
from generators.stage import Stage


def slice_asset(
    stage: Stage[Any],
    settings: Settings,
    grid: dg.MultiPartitionsDefinition,
    dataset: Dataset[Any] | None,
    *,
    stages: Sequence[Stage[Any]],
    listener: Listener = NOBODY,
) -> dg.AssetsDefinition:
    """The asset of a stage, and of a dataset if it is published; its Launchpad shows the knobs of the section.

    `stages` are all that a run of the slice may make.
    """
    defaults: Section = settings.section(stage.name)
    knobs = launchpad(stage.name, defaults)

    def with_launchpad(
        context: dg.AssetExecutionContext,
        config: knobs,  # type: ignore[valid-type]  # a class of its own for each stage
        policy: PolicyResource,
        judge: JudgeResource,
        reward: RewardResource,
        store: Store,
        workshop: dg.ResourceParam[Workshop],
    ) -> dg.MaterializeResult:
        changes: dict[str, Any] = config.model_dump()  # type: ignore[attr-defined]
        return run(context, policy, judge, reward, store, workshop).make(stage, changes)

    def without_launchpad(
        context: dg.AssetExecutionContext,
        policy: PolicyResource,
        judge: JudgeResource,
        reward: RewardResource,
        store: Store,
        workshop: dg.ResourceParam[Workshop],
    ) -> dg.MaterializeResult:
        return run(context, policy, judge, reward, store, workshop).make(stage, {})

    def run(
        context: dg.AssetExecutionContext,
        policy: PolicyResource,
        judge: JudgeResource,
        reward: RewardResource,
        store: Store,
        workshop: Workshop,
    ) -> SliceRun:
        return SliceRun(
            stages=stages,
            context=context,
            settings=settings,
            listener=listener,
            policy=policy,
            judge=judge,
            reward=reward,
            store=store,
            workshop=workshop,
        )

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
        op_tags={"dagster/priority": str(-TURNS.index(stage.name))},
        owners=settings.releases.owners,
        metadata=about(dataset, settings),
    )
    return asset(with_launchpad if type(defaults).knobs() else without_launchpad)


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
