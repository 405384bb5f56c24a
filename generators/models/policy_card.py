"""The card of a policy that a loop trained: where it came from, what it learnt from, and how it did.

It lies in the policy's folder. The name of a policy does not depend on it, so the evaluation can be added later.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from upath import UPath

from generators.models.policy import CARD
from generators.sampling.storage import read_bytes, write_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedOn:
    """A release that a policy was trained on: its dataset, version, digest of rows, and how many rows were learnt."""

    dataset: str
    version: str
    content: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCard:
    """What is known of a trained policy.

    `parent` is the policy that drew the data, `start` the one whose weights the training began with. `phases` has the
    settings of each phase, `losses` its last loss. `evaluation` is the summary of the policy's evaluation, None before.
    """

    name: str
    parent: str
    start: str
    round: str
    datasets: tuple[TrainedOn, ...]
    phases: tuple[Mapping[str, Any], ...]
    losses: tuple[float, ...]
    rank: int | None
    seed: int
    evaluation: Mapping[str, Any] | None = None

    @property
    def steps(self) -> int:
        """The steps of all phases."""
        return sum(phase["steps"] for phase in self.phases)

    def evaluated(self, summary: Mapping[str, Any]) -> "PolicyCard":
        """The card with the summary of an evaluation."""
        return replace(self, evaluation=summary)

    def write(self, folder: Path) -> None:
        """Write the card into the policy's folder; raises StorageError."""
        write_bytes(UPath(folder / CARD), (json.dumps(asdict(self), indent=2) + "\n").encode())


def read_card(folder: Path) -> PolicyCard | None:
    """The card of the policy in a folder, None if it has none; raises StorageError."""
    content = read_bytes(UPath(folder / CARD))
    if content is None:
        return None
    fields = json.loads(content)
    fields |= {"datasets": tuple(TrainedOn(**entry) for entry in fields["datasets"])}
    return PolicyCard(**fields | {name: tuple(fields[name]) for name in ("phases", "losses")})
