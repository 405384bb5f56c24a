"""The rows of a measured config, block by block: joined from a slice's tables and compared with their recomputation.

What is measured is rounded before anything follows from it, since whoever verifies has only rounded rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import polars as pl

from filters.rules import Filtered
from filters.schema import SchemaError
from generators.dataset import Config, Dataset, IncompleteParameters, Parameters
from generators.rows import blocks_of
from releases.recomputation import differing_columns

P = TypeVar("P", bound=Parameters)


class Measuring(Generic[P]):
    """Reads a measured config slice by slice, and remembers which derived columns differed from their recomputation."""

    def __init__(self, dataset: Dataset[P], config: Config[P], parameters: P) -> None:
        self._dataset, self._config, self._parameters = dataset, config, parameters
        self._height = self._n_wrong = 0
        self._columns: dict[str, None] = {}
        self._first = ""

    def parts(self, tables: Mapping[str, pl.DataFrame]) -> Iterator[Filtered]:
        """Yield the rows of one slice, and those that the config leaves out; raises SchemaError."""
        for rows in blocks_of(joined(self._dataset, self._config, tables)):
            try:
                part = self._config.derive(rows, self._parameters)
                kept = self._config.schema.rounded(part.kept)
                self._compare(kept, self._config.recompute(kept, self._parameters))
            except IncompleteParameters as missing:
                raise self._to_be_made_again(missing) from missing
            yield Filtered(kept, part.dropped)

    def require_right(self) -> None:
        """Raise SchemaError if a derived column of any row differed."""
        if self._n_wrong:
            raise self._to_be_made_again(
                f"{', '.join(self._columns)} of config {self._config.name} do not follow from the others in "
                f"{self._n_wrong} of {self._height} rows, first {self._first}"
            )

    def _compare(self, rows: pl.DataFrame, recomputed: pl.DataFrame) -> None:
        self._height += rows.height
        wrong = differing_columns(rows, recomputed)
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
