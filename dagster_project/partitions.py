"""Rounds x slices: a round is one regeneration of the datasets, a slice is one shard of one problem source."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

ROUNDS = dg.DynamicPartitionsDefinition(name="rounds")


def grid(slices: Sequence[str]) -> dg.MultiPartitionsDefinition:
    """The partitions of every asset that is made slice by slice."""
    return dg.MultiPartitionsDefinition({"round": ROUNDS, "slice": dg.StaticPartitionsDefinition(list(slices))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One slice of one round."""

    round: str
    slice: str

    @property
    def seed(self) -> int:
        """The family of draws of the round."""
        return round_seed(self.round)

    def provenance(self, policy: str) -> dict[str, str | int]:
        """Which policy, round and slice a row comes from, as columns."""
        return {"policy": policy, "round": self.round, "slice": self.slice}


def cell_of(context: dg.AssetExecutionContext) -> Cell:
    """The round and the slice that are being made."""
    key = context.partition_key
    if not isinstance(key, dg.MultiPartitionKey):
        raise dg.Failure(f"the partition {key!r} is no round and slice: choose one of each", allow_retries=False)
    keys = key.keys_by_dimension
    return Cell(round=keys["round"], slice=keys["slice"])


def round_seed(round_key: str) -> int:
    """The family of draws of a round: another round's rollouts are independent of this one's."""
    return int(hashlib.blake2b(round_key.encode(), digest_size=4).hexdigest(), 16)
