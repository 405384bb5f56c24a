"""Rounds x slices: a round is one regeneration of the datasets, a slice is one shard of a problem source."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

PARTITION_TAG = "dagster/partition"
ROUND_TAG = f"{PARTITION_TAG}/round"
ROUNDS = dg.DynamicPartitionsDefinition(name="rounds")


def grid(slices: Sequence[str]) -> dg.MultiPartitionsDefinition:
    """The partitions of every asset but the releases."""
    return dg.MultiPartitionsDefinition({"round": ROUNDS, "slice": dg.StaticPartitionsDefinition(list(slices))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One slice of one round."""

    round: str
    slice: str

    @property
    def seed(self) -> int:
        """The seed of the round."""
        return round_seed(self.round)

    def origin(self, policy: str) -> dict[str, str | int]:
        """Policy, round and slice, as the columns of a row."""
        return {"policy": policy, "round": self.round, "slice": self.slice}


def cell_of(context: dg.AssetExecutionContext) -> Cell:
    """The round and the slice of a run."""
    key = context.partition_key
    if not isinstance(key, dg.MultiPartitionKey):
        raise dg.Failure(f"the partition {key!r} is not a round and a slice: choose one of each", allow_retries=False)
    keys = key.keys_by_dimension
    return Cell(round=keys["round"], slice=keys["slice"])


def round_of_run(run: dg.DagsterRun) -> str | None:
    """The round of a run, whether it makes a slice or something of the whole round; None without a partition."""
    return run.tags.get(ROUND_TAG) or run.tags.get(PARTITION_TAG)


def round_seed(round_key: str) -> int:
    """The seed of a round; the rollouts of two rounds are independent."""
    return int(hashlib.blake2b(round_key.encode(), digest_size=4).hexdigest(), 16)
