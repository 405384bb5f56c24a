"""The sensor that publishes a round by itself: once, when every slice of it is made and every blocking check passed.

It goes by the scorecards, since a condition on the assets cannot: Dagster keeps a check's status by asset, so that a
slice which passes later would hide one that failed. It is off until it is switched on.
"""

import dagster as dg

from dagster_project.partitions import ROUNDS, Cell
from dagster_project.publishing import DATASETS
from dagster_project.resources.store import Store
from dagster_project.rounds import ROUND_TAG
from dagster_project.scorecard import standing
from dagster_project.settings.file import Settings
from dagster_project.settings.operations import STAGES

SENSOR = "automatic_publishing"
PUBLISHED_BY = "stepmill/published_by"
WATCHED = 8
_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def automatic_publishing(settings: Settings, store: Store) -> dg.SensorDefinition:
    """The sensor over the newest rounds that nobody has published yet."""

    @dg.sensor(
        name=SENSOR,
        job_name="release",
        minimum_interval_seconds=settings.rounds.look_s,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Releases a round once every slice of it is made and its blocking checks passed.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        instance = context.instance
        runs = instance.get_runs(dg.RunsFilter(tags={PUBLISHED_BY: SENSOR}))
        fired = {run.tags["dagster/partition"] for run in runs}
        open_rounds = [key for key in instance.get_dynamic_partitions(str(ROUNDS.name)) if key not in fired]
        released = {name: instance.get_materialized_partitions(_release(name)) for name in DATASETS}
        requests, reasons = [], []
        for key in open_rounds[-WATCHED:]:
            owed = [name for name in DATASETS if key not in released[name]]
            found = standing(store, [Cell(round=key, slice=one) for one in settings.slices()], STAGES)
            publishable = [name for name in owed if found.rows[name]]
            if under_way(instance, key):
                reasons.append(f"round {key}: runs of it are under way")
            elif found.unmade:
                reasons.append(f"round {key} waits for {', '.join(found.unmade)}")
            elif found.failed:
                reasons.append(f"round {key} is blocked by {'; '.join(found.failed)}")
            elif publishable:
                requests.append(publication(key, publishable))
            else:
                reasons.append(f"round {key} has nothing more to publish")
        why = " | ".join(reasons) or "every round is published"
        return dg.SensorResult(run_requests=requests, skip_reason=None if requests else why)

    return sensor


def under_way(instance: dg.DagsterInstance, round_key: str) -> bool:
    """Whether any run of a round has not ended."""
    running = dg.RunsFilter(tags={ROUND_TAG: round_key}, statuses=_UNDER_WAY)
    return bool(instance.get_runs(running, limit=1))


def publication(round_key: str, datasets: list[str]) -> dg.RunRequest:
    """The run that releases some datasets of a round; asked for again it is the same run."""
    return dg.RunRequest(
        run_key=f"publish {round_key}",
        partition_key=round_key,
        asset_selection=[_release(name) for name in datasets],
        tags={PUBLISHED_BY: SENSOR},
    )


def _release(dataset: str) -> dg.AssetKey:
    return dg.AssetKey(f"{dataset}_release")
