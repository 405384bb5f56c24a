"""Rounds: their keys, the runs that make every slice, and the schedule that opens one.

A new round has a key that no earlier round has, and therefore its own seeds; nothing here touches an earlier round.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from itertools import count
from zoneinfo import ZoneInfo

import dagster as dg

from dagster_project.partitions import ROUND_TAG, ROUNDS
from dagster_project.resources.store import Store
from dagster_project.settings.file import Settings

OPENED_BY = "stepmill/opened_by"
SCHEDULE = "weekly_round"


def weekly_round(settings: Settings, store: Store) -> dg.ScheduleDefinition:
    """The schedule that opens a round and makes every slice of it."""

    @dg.schedule(
        name=SCHEDULE,
        job_name="slice",
        cron_schedule=settings.rounds.cron,
        execution_timezone=settings.rounds.timezone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Opens a round with its own seeds and makes every slice of it.",
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


def new_round(day: date, taken: Collection[str], *, policy: str | None = None) -> str:
    """The first free key for a round that is opened on `day`, for a new `policy` if one is named.

    The key has only the first four letters after the @ of the policy's name.
    """
    suffix = f".policy-{policy.rpartition('@')[2][:4]}" if policy else ""
    keys = (f"{day.isoformat()}{f'-{number}' if number > 1 else ''}{suffix}" for number in count(1))
    return next(key for key in keys if key not in taken)


def known_rounds(instance: dg.DagsterInstance, store: Store) -> set[str]:
    """Every round that is a partition, or that has a table although Dagster's own storage was lost."""
    return {*instance.get_dynamic_partitions(str(ROUNDS.name)), *store.rounds()}


def opened_already(instance: dg.DagsterInstance, opener: str) -> str | None:
    """The round that `opener` has already launched, if any, so that a tick evaluated twice opens one round."""
    runs = instance.get_runs(dg.RunsFilter(tags={OPENED_BY: opener}), limit=1)
    return runs[0].tags[ROUND_TAG] if runs else None


def slice_runs(
    round_key: str, slices: Iterable[str], *, opener: str, assets: Sequence[str] | None = None
) -> list[dg.RunRequest]:
    """One run of the job `slice` for each slice of a round, for all of its assets or for some."""
    selected = None if assets is None else [dg.AssetKey(name) for name in assets]
    return [
        dg.RunRequest(
            run_key=f"{round_key}/{slice_key}",
            partition_key=dg.MultiPartitionKey({"round": round_key, "slice": slice_key}),
            tags={OPENED_BY: opener},
            job_name="slice",
            asset_selection=selected,
        )
        for slice_key in slices
    ]
