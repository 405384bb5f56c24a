"""The rows of one config, collected piece by piece: derived, chosen among, split, validated and put on a spool."""

from collections import Counter
from collections.abc import Mapping
from typing import Generic, TypeVar

import polars as pl

from filters.rules import REASON, Filtered
from filters.widths import narrow
from generators.dataset import Config, Parameters
from releases.splits import SPLITS, SplitShares, split_by_problem
from releases.spool import Scratch, Spool

P = TypeVar("P", bound=Parameters)


class ConfigRows(Generic[P]):
    """What a config has so far: `kept` and `dropped` count rows, `splits` has those of each split as files hold them.

    Its rows are added with all of their problem's, and `finish` is called once, after the last.
    """

    def __init__(self, config: Config[P], parameters: P, shares: SplitShares, scratch: Scratch) -> None:
        self.config = config
        self.kept = 0
        self.dropped = Counter[str]()
        self.is_allowed = False
        self._parameters, self._shares, self._scratch = parameters, shares, scratch
        self._held = Spool(scratch)
        self._spools: dict[str, Spool] = {}

    def follow(self, base: pl.DataFrame, part: Filtered) -> None:
        """Add what was derived from published rows of the base; raises SchemaError."""
        self.is_allowed = self.is_allowed or self.config.allows(base, self._parameters)
        self.add(part)

    def add(self, part: Filtered) -> dict[str, pl.DataFrame]:
        """Add rows that were derived; gives those that were stored, by split. Raises SchemaError."""
        self.dropped.update(part.counts())
        if self.config.choice is None:
            return self._store(part.kept)
        names = dict.fromkeys(["problem_id", *self.config.choice.columns, *self.config.schema.columns])
        self._held.add(part.kept.select(list(names)))
        return {}

    def finish(self) -> None:
        """Choose among all rows, where the config does; raises SchemaError."""
        if self.config.choice is None or not self._held.height:
            return
        held = self._held.rows()
        reasons = self.config.choice.reasons(held.only(*self.config.choice.columns), self._parameters).alias(REASON)
        start = 0
        for block in held.blocks():
            why = reasons.slice(start, block.height)
            self.dropped.update(why.drop_nulls())
            self._store(block.filter(why.is_null()))
            start += block.height
        self._held = Spool(self._scratch)

    @property
    def splits(self) -> Mapping[str, Spool]:
        """The rows of each split that has any."""
        return {split: self._spools[split] for split in SPLITS if split in self._spools}

    @property
    def counts(self) -> dict[str, int]:
        """The number of dropped rows per reason, most frequent first."""
        return dict(sorted(self.dropped.items(), key=lambda item: (-item[1], item[0])))

    def _store(self, rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
        splits = split_of(rows, self.config, self._shares)
        for split, frame in splits.items():
            self.kept += frame.height
            self._spools.setdefault(split, Spool(self._scratch)).add(narrow(frame))
        return splits


def split_of(rows: pl.DataFrame, config: Config[P], shares: SplitShares) -> dict[str, pl.DataFrame]:
    """The validated rows of each non-empty split, as a release can hold them; raises SchemaError."""
    schema = config.schema
    splits = split_by_problem(rows, shares)
    return {split: schema.validate(schema.rounded(part.select(list(schema.columns)))) for split, part in splits.items()}
