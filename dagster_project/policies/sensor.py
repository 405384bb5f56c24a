"""The sensor that runs a loop in Dagster: it asks for what is due, and opens the next round. It is off at first."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from dagster_project.partitions import ROUNDS
from dagster_project.policies.names import POLICY_JOB
from dagster_project.policies.position import Due, Position, open_round, position, selection_of
from dagster_project.resources.store import Store
from dagster_project.rounds import slice_runs
from dagster_project.sensors import has_active_runs
from dagster_project.settings.file import Settings, SettingsError
from generators.engine.errors import EngineError

POLICY_LOOP = "policy_loop"


def policy_loop(settings: Settings, store: Store, jobs: Sequence[Any]) -> dg.SensorDefinition:
    """Runs what is due in the loop of the settings: slices, releases, training and evaluation, or the next round."""

    @dg.sensor(
        name=POLICY_LOOP,
        jobs=jobs,
        minimum_interval_seconds=settings.rounds.look_s,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Runs the rounds of the loop: each is drawn by the policy that the one before it trained.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        try:
            where = position(settings, store)
        except (EngineError, SettingsError) as unknown:
            return dg.SensorResult(skip_reason=str(unknown))
        if where.due is Due.NOTHING:
            return dg.SensorResult(skip_reason=f"the loop has ended: {where.why}")
        if has_active_runs(context.instance, where.round):
            return dg.SensorResult(skip_reason=f"round {where.round}: runs of it are under way")
        opened = []
        if where.due is Due.ROUND:
            record = open_round(settings, store, where)
            context.log.info(f"round {record.round} is open, for the policy {record.policy}")
            opened = [ROUNDS.build_add_request([record.round])]
        return dg.SensorResult(run_requests=_requests(settings, where), dynamic_partitions_requests=opened)

    return sensor


def _requests(settings: Settings, where: Position) -> list[dg.RunRequest]:
    """The runs of what is due in a round; Dagster launches each once, however often it is requested."""
    selection = selection_of(settings)
    key = f"{POLICY_LOOP} {where.round}: {where.due} by {settings.read_from}"
    if where.due is Due.POLICY:
        return [dg.RunRequest(run_key=key, partition_key=where.round, job_name=POLICY_JOB)]
    if where.due is Due.RELEASES:
        releases = [dg.AssetKey(f"{dataset.name}_release") for dataset in selection.datasets]
        return [dg.RunRequest(run_key=key, partition_key=where.round, job_name="release", asset_selection=releases)]
    return slice_runs(where.round, settings.slices(), opener=POLICY_LOOP, assets=selection.stages)
