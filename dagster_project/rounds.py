"""Rounds: what a new one is called, and the runs that make every slice of it.

A new round has a key that no earlier one has, thus seeds of its own; nothing here touches an earlier one.
"""

from collections.abc import Collection, Iterable
from datetime import date
from itertools import count

import dagster as dg

from dagster_project.partitions import ROUNDS
from dagster_project.resources.store import Store

OPENED_BY = "stepmill/opened_by"
ROUND_TAG = "dagster/partition/round"


def new_round(day: date, taken: Collection[str], *, policy: str | None = None) -> str:
    """The key of a round that is opened on `day`, for a new `policy` where one is named: the first that is not taken.

    Of a policy only the first four letters behind the @ of its name stand in the key.
    """
    suffix = f".policy-{policy.rpartition('@')[2][:4]}" if policy else ""
    keys = (f"{day.isoformat()}{f'-{number}' if number > 1 else ''}{suffix}" for number in count(1))
    return next(key for key in keys if key not in taken)


def known_rounds(instance: dg.DagsterInstance, store: Store) -> set[str]:
    """Every round that is a partition, or has a table though Dagster's own storage was lost."""
    return {*instance.get_dynamic_partitions(str(ROUNDS.name)), *store.rounds()}


def opened_already(instance: dg.DagsterInstance, opener: str) -> str | None:
    """The round that `opener` has launched a run of before, if any: a tick that is evaluated twice opens one round."""
    runs = instance.get_runs(dg.RunsFilter(tags={OPENED_BY: opener}), limit=1)
    return runs[0].tags[ROUND_TAG] if runs else None


def slice_runs(round_key: str, slices: Iterable[str], *, opener: str) -> list[dg.RunRequest]:
    """One run of the job `slice` for each slice of a round."""
    return [
        dg.RunRequest(
            run_key=f"{round_key}/{slice_key}",
            partition_key=dg.MultiPartitionKey({"round": round_key, "slice": slice_key}),
            tags={OPENED_BY: opener},
        )
        for slice_key in slices
    ]
