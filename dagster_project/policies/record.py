"""Which policy draws a round of a loop, and which one the round made: two small files below the data root.

A round without a record is drawn by the policy of the settings. The settings file is never changed.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from upath import UPath

from generators.sampling.storage import create, read_bytes, write_bytes

POLICIES = "policies"  # the folder of trained policies below the data root
ROUNDS = "rounds"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPolicy:
    """The policy of a round, written once when the round is opened and never changed.

    `folder` is the policy's within `policies/`; None for the policy of the settings, which draws the first round.
    """

    round: str
    loop: str
    number: int
    policy: str
    folder: str | None

    def open(self, root: UPath) -> "RoundPolicy":
        """Write the record unless another process was first; gives the one that stands. Raises StorageError."""
        create(_path(root, self.round, "policy"), _as_json(self))
        return read_round(root, self.round) or self


@dataclass(frozen=True, slots=True, kw_only=True)
class NextPolicy:
    """The policy that a round made: its name and folder, and the digest of what it was made from."""

    policy: str
    folder: str
    made_from: str

    def is_that_of(self, root: UPath, made_from: str) -> bool:
        """Whether the policy is there, and would be made the same way again."""
        return self.made_from == made_from and (root / POLICIES / self.folder).is_dir()

    def write(self, root: UPath, round_key: str) -> None:
        """Keep it for a round; raises StorageError."""
        write_bytes(_path(root, round_key, "next_policy"), _as_json(self))


def read_round(root: UPath, round_key: str) -> RoundPolicy | None:
    """The record of a round, None if it has none; raises StorageError."""
    fields = _read(_path(root, round_key, "policy"))
    return None if fields is None else RoundPolicy(**fields)


def read_next(root: UPath, round_key: str) -> NextPolicy | None:
    """The policy that a round made, None if there is none yet; raises StorageError."""
    fields = _read(_path(root, round_key, "next_policy"))
    return None if fields is None else NextPolicy(**fields)


def _path(root: UPath, round_key: str, what: str) -> UPath:
    return root / ROUNDS / f"{round_key}.{what}.json"


def _as_json(record: RoundPolicy | NextPolicy) -> bytes:
    return (json.dumps(asdict(record), indent=2) + "\n").encode()


def _read(path: UPath) -> Mapping[str, Any] | None:
    content = read_bytes(path)
    return None if content is None else json.loads(content)
