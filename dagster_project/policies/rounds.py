"""The rounds of a loop: their keys, and the records of those that were opened."""

from dagster_project.policies.record import RoundPolicy, read_round
from dagster_project.resources.store import Store
from dagster_project.settings.loop import LoopSettings
from generators.sampling.storage import StorageError


def round_key(loop: LoopSettings, number: int) -> str:
    """The key of a round of a loop, from 1."""
    return f"{loop.name}-{number}"


def rounds_of(loop: LoopSettings, store: Store) -> tuple[RoundPolicy, ...]:
    """The records of the rounds of a loop that were opened, in order; raises StorageError."""
    found: list[RoundPolicy] = []
    while (record := read_round(store.root, round_key(loop, len(found) + 1))) is not None:
        found.append(record)
    return tuple(found)


def rounds_up_to(key: str, loop: LoopSettings, store: Store) -> tuple[RoundPolicy, ...]:
    """The records of a loop's rounds up to one of them; raises StorageError if the round is none of the loop's."""
    rounds = rounds_of(loop, store)
    keys = [record.round for record in rounds]
    if key not in keys:
        raise StorageError(
            f"round {key} is no round of the loop {loop.name}, which has {', '.join(keys) or 'none'}: open one with "
            "`stepmill loop`, or with the sensor policy_loop"
        )
    return rounds[: keys.index(key) + 1]
