"""The rows of a measured config, block by block: joined from a slice's tables and compared with their recomputation.

What is measured is rounded before anything follows from it, since whoever verifies has only rounded rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import polars as pl

from filters.rules import Filtered
from filters.schema import SchemaError
from generators.dataset import Config, Dataset, IncompleteParameters, Parameters
from generators.datasets import DATASETS
from generators.rows import blocks_of
from releases.recomputation import differing_columns
from releases.workers import HERE, Workers

P = TypeVar("P", bound=Parameters)


@dataclass(frozen=True, slots=True)
class Measured:
    """Some rows of a measured config, what follows from them by derived config, and the columns that differ by row."""

    part: Filtered
    derived: Mapping[str, Filtered]
    wrong: Mapping[int, Sequence[str]]


def measured(rows: pl.DataFrame, *, dataset: Dataset[P], config: Config[P], parameters: P) -> Measured:
    """What follows from some rows as they were joined; raises SchemaError and IncompleteParameters."""
    part = config.derive(rows, parameters)
    kept = config.schema.rounded(part.kept)
    wrong = differing_columns(kept, config.recompute(kept, parameters))
    derived = {other.name: other.derive(kept, parameters) for other in dataset.derived_from(config)}
    return Measured(Filtered(kept, part.dropped), derived, wrong)


def measured_elsewhere(rows: pl.DataFrame, *, dataset: str, config: str, parameters: Parameters) -> Measured:
    """As `measured`, in another process, which looks dataset and config up by their names."""
    known = next(one for one in DATASETS if one.name == dataset)
    of_rows = next(one for one in known.measured if one.name == config)
    return measured(rows, dataset=known, config=of_rows, parameters=parameters)


class Measuring(Generic[P]):
    """Reads a measured config slice by slice, and remembers which derived columns differed from their recomputation."""

    def __init__(self, dataset: Dataset[P], config: Config[P], parameters: P, workers: Workers) -> None:
        self._dataset, self._config, self._parameters, self._workers = dataset, config, parameters, workers
        self._height = self._n_wrong = 0
        self._columns: dict[str, None] = {}
        self._first = ""

    def parts(self, tables: Mapping[str, pl.DataFrame]) -> Iterator[Measured]:
        """Yield the rows of one slice with what follows from them, block by block; raises SchemaError."""
        blocks = blocks_of(joined(self._dataset, self._config, tables))
        try:
            for found in self._workers.map(self._work, blocks):
                self._note(found)
                yield found
        except IncompleteParameters as missing:
            raise self._to_be_made_again(missing) from missing

    def require_right(self) -> None:
        """Raise SchemaError if a derived column of any row differed."""
        if self._n_wrong:
            raise self._to_be_made_again(
                f"{', '.join(self._columns)} of config {self._config.name} do not follow from the others in "
                f"{self._n_wrong} of {self._height} rows, first {self._first}"
            )

    @property
    def _work(self) -> partial[Measured]:
        if self._workers is HERE:
            return partial(measured, dataset=self._dataset, config=self._config, parameters=self._parameters)
        dataset, config = self._dataset.name, self._config.name
        return partial(measured_elsewhere, dataset=dataset, config=config, parameters=self._parameters)

    def _note(self, found: Measured) -> None:
        rows, wrong = found.part.kept, found.wrong
        self._height += rows.height
        if not wrong:
            return
        if not self._n_wrong:
            row = rows.row(min(wrong), named=True)
            key = self._dataset.table_schema(self._config).key
            self._first = ", ".join(f"{name} {row[name]}" for name in key)
        self._n_wrong += len(wrong)
        self._columns |= dict.fromkeys(column for columns in wrong.values() for column in columns)

    def _to_be_made_again(self, complaint: object) -> SchemaError:
        name = self._dataset.name
        return SchemaError(f"{name}: {complaint}: materialise {name} again")


def joined(dataset: Dataset[Any], config: Config[Any], tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The rows of a measured config's table with the columns that it joins, in order; raises SchemaError."""
    schema = dataset.table_schema(config)
    rows = schema.rounded(schema.validate(tables[schema.name]))
    for other in config.joined:
        more = [name for name in other.columns if name in other.key or name not in rows.columns]
        rows = rows.join(other.rounded(other.validate(tables[other.name])).select(more), on=other.key, how="left")
    return ordered(rows, schema.key)


def ordered(rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """The rows slice by slice, and by key within one.

    So rows keep their order from version to version, and a slice that is new or made again stands in one place.
    """
    return rows.sort([name for name in ("slice", *key) if name in rows.columns])
