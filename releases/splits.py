"""Assigns each problem to a split by a hash of its id alone.

So a problem is in the same split in every dataset and every version.
"""

from dataclasses import dataclass
from hashlib import blake2b

import polars as pl

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitShares:
    """The shares of problems held out for validation and test; the rest is `train`.

    Changing the share of `validation` moves no problem into or out of `test`.
    """

    validation: float = 0.0
    test: float = 0.1

    def __post_init__(self) -> None:
        for name in ("validation", "test"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 0 and below 1, got {getattr(self, name)}")
        if self.validation + self.test >= 1:
            raise ValueError(f"validation + test must be below 1, got {self.validation + self.test}")

    def split_of(self, problem_id: str) -> str:
        """The split of a problem."""
        digest = blake2b(problem_id.encode(), digest_size=8, person=b"stepmill-split").digest()
        position = int.from_bytes(digest, "big") / 2**64
        if position < self.test:
            return "test"
        return "validation" if position < self.test + self.validation else "train"


def split_by_problem(rows: pl.DataFrame, shares: SplitShares) -> dict[str, pl.DataFrame]:
    """Split `rows` (with a column `problem_id`) into the non-empty splits, each in the rows' order."""
    ids = rows["problem_id"]
    splits = pl.Series("split", [shares.split_of(problem_id) for problem_id in ids], dtype=pl.String)
    parts = {name: rows.filter(splits == name) for name in SPLITS}
    return {name: part for name, part in parts.items() if part.height}
