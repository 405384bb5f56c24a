"""What opens rounds by itself: a schedule, and a sensor on the policy; both are off until they are switched on.

Knows when and why; how a round is named and launched, `rounds` says.
"""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from dagster_project.partitions import ROUNDS
from dagster_project.resources.store import Store
from dagster_project.rounds import known_rounds, new_round, opened_already, slice_runs
from dagster_project.settings.file import Settings
from generators.engine.errors import EngineError

SCHEDULE = "weekly_round"
SENSOR = "round_of_a_new_policy"


def weekly_round(settings: Settings, store: Store) -> dg.ScheduleDefinition:
    """The schedule that opens a round and makes every slice of it."""

    @dg.schedule(
        name=SCHEDULE,
        job_name="slice",
        cron_schedule=settings.rounds.cron,
        execution_timezone=settings.rounds.timezone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Opens a round with seeds of its own and makes every slice of it.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
        due = context.scheduled_execution_time
        opener = f"{SCHEDULE} {due.isoformat()}"
        key = opened_already(context.instance, opener)
        if key is None:
            day = due.astimezone(ZoneInfo(settings.rounds.timezone)).date()
            key = new_round(day, known_rounds(context.instance, store))
            context.instance.add_dynamic_partitions(str(ROUNDS.name), [key])
        context.log.info(f"round {key} is open")
        return slice_runs(key, settings.slices(), opener=opener)

    return schedule


def round_of_a_new_policy(settings: Settings, store: Store) -> dg.SensorDefinition:
    """The sensor that opens a round once the policy has another name than before, at two looks in a row.

    The first look only notes the name. A folder that is still being written changes from look to look.
    """

    @dg.sensor(
        name=SENSOR,
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
        made, seen, since = noted["made"], noted.get("seen"), noted.get("since")
        if name == made:
            return dg.SensorResult(skip_reason=f"the policy is {name}, as before", cursor=json.dumps({"made": made}))
        if name != seen:
            reason = f"the policy was {made} and is {name} now: a round opens when it is so at the next look too"
            now = datetime.now(UTC).isoformat()
            return dg.SensorResult(skip_reason=reason, cursor=json.dumps({"made": made, "seen": name, "since": now}))
        opener = f"{SENSOR} {name} {since}"
        key = opened_already(context.instance, opener) or new_round(
            datetime.now(UTC).astimezone(ZoneInfo(settings.rounds.timezone)).date(),
            known_rounds(context.instance, store),
            policy=name,
        )
        context.log.info(f"round {key} is open, for {name} after {made}")
        return dg.SensorResult(
            run_requests=slice_runs(key, settings.slices(), opener=opener),
            dynamic_partitions_requests=[ROUNDS.build_add_request([key])],
            cursor=json.dumps({"made": name}),
        )

    return sensor
