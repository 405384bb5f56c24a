"""The two sensors: one opens a round when the policy changes, one publishes finished rounds. Both are off at first."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from dagster_project.partitions import PARTITION_TAG, ROUND_TAG, ROUNDS, Cell
from dagster_project.resources.store import Store
from dagster_project.rounds import known_rounds, new_round, opened_already, slice_runs
from dagster_project.scorecard import Standing, standing
from dagster_project.settings.file import Settings
from generators.datasets import DATASETS, STAGES
from generators.engine.errors import EngineError

NEW_POLICY = "round_of_a_new_policy"
PUBLISHING = "automatic_publishing"
PUBLISHED_BY = "stepmill/published_by"
WATCHED = 8
_ACTIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def round_of_a_new_policy(settings: Settings, store: Store) -> dg.SensorDefinition:
    """Opens a round once the policy has had a new name at two evaluations in a row.

    The first evaluation only notes the name. A folder that is still being written changes between evaluations.
    """

    @dg.sensor(
        name=NEW_POLICY,
        job_name="slice",
        minimum_interval_seconds=settings.rounds.look_s,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Opens a round when the policy's weights or its Hub revision change, and makes every slice of it.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        try:
            name = settings.policy.name_now()
        except EngineError as unknown:
            return dg.SensorResult(skip_reason=f"the policy's revision is not known: {unknown}", cursor=context.cursor)
        noted = json.loads(context.cursor) if context.cursor else {"made": name}
        before, seen, since = noted["made"], noted.get("seen"), noted.get("since")
        if name == before:
            cursor = json.dumps({"made": before})
            return dg.SensorResult(skip_reason=f"the policy is {name}, as before", cursor=cursor)
        if name != seen:
            reason = f"the policy was {before} and is {name} now: a round opens if the next evaluation agrees"
            now = datetime.now(UTC).isoformat()
            return dg.SensorResult(skip_reason=reason, cursor=json.dumps({"made": before, "seen": name, "since": now}))
        opener = f"{NEW_POLICY} {name} {since}"
        key = opened_already(context.instance, opener) or new_round(
            datetime.now(UTC).astimezone(ZoneInfo(settings.rounds.timezone)).date(),
            known_rounds(context.instance, store),
            policy=name,
        )
        context.log.info(f"round {key} is open, for {name} after {before}")
        return dg.SensorResult(
            run_requests=slice_runs(key, settings.slices(), opener=opener),
            dynamic_partitions_requests=[ROUNDS.build_add_request([key])],
            cursor=json.dumps({"made": name}),
        )

    return sensor


def automatic_publishing(settings: Settings, store: Store) -> dg.SensorDefinition:
    """Publishes each dataset of a round once: when its stages are done in every slice and no check blocks them.

    It reads the scorecards, as the releases themselves do.
    """

    @dg.sensor(
        name=PUBLISHING,
        job_name="release",
        minimum_interval_seconds=settings.rounds.look_s,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Releases each dataset of a round once all its tables are made and no check blocks them.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        instance = context.instance
        stages = [stage.name for stage in STAGES]
        requests, reasons = [], []
        for key, datasets in list(unpublished(instance).items())[-WATCHED:]:
            if has_active_runs(instance, key):
                reasons.append(f"round {key}: runs of it are under way")
                continue
            state = standing(store, [Cell(round=key, slice=slice_key) for slice_key in settings.slices()], stages)
            ready = [name for name, needs in datasets.items() if state.of(needs).is_ready and state.rows[name]]
            if ready:
                requests.append(publication(key, ready))
            reasons += [f"round {key} {reason}" for reason in _waits(state, datasets, nothing=not ready)]
        why = " | ".join(reasons) or "every round is published"
        if requests and reasons:
            context.log.info(why)
        return dg.SensorResult(run_requests=requests, skip_reason=None if requests else why)

    return sensor


def unpublished(instance: dg.DagsterInstance) -> dict[str, dict[str, tuple[str, ...]]]:
    """By round, the datasets that nobody has released and the sensor has not tried to release, with their stages."""
    runs = instance.get_runs(dg.RunsFilter(tags={PUBLISHED_BY: PUBLISHING}))
    releases = {dataset.name: _release(dataset.name) for dataset in DATASETS}
    done = {name: set(instance.get_materialized_partitions(asset)) for name, asset in releases.items()}
    for run in runs:
        for name, asset in releases.items():
            if run.asset_selection is None or asset in run.asset_selection:
                done[name].add(run.tags[PARTITION_TAG])
    due = {
        key: {dataset.name: dataset.stages for dataset in DATASETS if key not in done[dataset.name]}
        for key in instance.get_dynamic_partitions(str(ROUNDS.name))
    }
    return {key: datasets for key, datasets in due.items() if datasets}


def _waits(state: Standing, datasets: Mapping[str, Sequence[str]], *, nothing: bool) -> list[str]:
    """What the unpublished datasets of a round wait for, and which checks block them."""
    states = [state.of(needs) for needs in datasets.values()]
    failed = [str(failure) for failure in state.failed if any(failure in own.failed for own in states)]
    unmade = [str(table) for table in state.unmade if any(table in own.unmade and not own.failed for own in states)]
    reasons = [f"is blocked by {'; '.join(failed)}"] if failed else []
    reasons += [f"waits for {', '.join(unmade)}"] if unmade else []
    return reasons or (["has nothing more to publish"] if nothing else [])


def has_active_runs(instance: dg.DagsterInstance, round_key: str) -> bool:
    """Whether any run of a round has not ended."""
    active = dg.RunsFilter(tags={ROUND_TAG: round_key}, statuses=_ACTIVE)
    return bool(instance.get_runs(active, limit=1))


def publication(round_key: str, datasets: list[str]) -> dg.RunRequest:
    """The run that releases some datasets of a round; Dagster launches it once, however often it is requested."""
    return dg.RunRequest(
        run_key=f"publish {round_key}: {', '.join(datasets)}",
        partition_key=round_key,
        asset_selection=[_release(name) for name in datasets],
        tags={PUBLISHED_BY: PUBLISHING},
    )


def _release(dataset: str) -> dg.AssetKey:
    return dg.AssetKey(f"{dataset}_release")
