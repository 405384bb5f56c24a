"""The rounds of a loop: their keys, and the records of those that were opened."""

from dagster_project.policies.record import RoundPolicy, read_round
from dagster_project.resources.store import Store
from dagster_project.settings.loop import LoopSettings


def round_key(loop: LoopSettings, number: int) -> str:
    """The key of a round of a loop, from 1."""
    return f"{loop.name}-{number}"


def rounds_of(loop: LoopSettings, store: Store) -> tuple[RoundPolicy, ...]:
    """The records of the rounds of a loop that were opened, in order; raises StorageError."""
    found: list[RoundPolicy] = []
    while (record := read_round(store.root, round_key(loop, len(found) + 1))) is not None:
        found.append(record)
    return tuple(found)
