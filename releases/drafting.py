"""Builds the draft of a release from a round's tables, slice by slice: rows are validated, recomputed and laid out.

Whatever a slice's problems give goes to a spool at once, so a slice is in memory, and a round is not.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import polars as pl

from generators.dataset import Dataset, Parameters, StageFacts
from generators.rows import Rows
from releases.config_rows import ConfigRows
from releases.door.text import quoted
from releases.draft import Draft, StoredSplits, Table
from releases.errors import IncompleteManifest, NothingToRelease
from releases.facts import ReleaseFacts
from releases.figures import drawn
from releases.measuring import Measuring
from releases.picturing.choice import LOOKED_AT
from releases.picturing.row_picture import row_picture
from releases.splits import SplitShares
from releases.spool import Scratch
from releases.workers import HERE, Workers

P = TypeVar("P", bound=Parameters)
EXAMPLES = 3  # rows that the card shows
Tables = Mapping[str, pl.DataFrame]


@dataclass(frozen=True, kw_only=True)
class LaidOut(Generic[P]):
    """The rows of a round by config and split, with what was counted while they were laid out."""

    dataset: Dataset[P]
    parameters: P
    shares: SplitShares
    tables: Mapping[str, Table]
    stages: tuple[StageFacts, ...]
    counts: Mapping[str, int]
    label_counts: Mapping[str, Mapping[str, int]]

    @property
    def main(self) -> Rows:
        """The rows of the main config, split by split."""
        return self.tables[self.dataset.main.name].computed()

    def draft(self, facts: ReleaseFacts) -> Draft:
        """The draft of a release with these rows and facts."""
        dataset, main = self.dataset, self.tables[self.dataset.main.name]
        shown = main.computed(next(iter(main.splits)))
        columns = dataset.main.schema.columns
        pictures = [drawn(dataset.picture, self.main)] if dataset.picture else []
        export = exported(self.parameters, self.shares)
        return Draft(
            dataset=dataset.name,
            card=dataset.card,
            tables=self.tables,
            facts=replace(facts, stages=(*facts.stages, *self.stages), settings={**facts.settings, "export": export}),
            examples=_examples(shown, dataset.sample_columns),
            label_counts=self.label_counts,
            pictures=(*pictures, row_picture(dataset, shown.head(LOOKED_AT), columns, policy=facts.policy)),
            attachments=dataset.attachments({split: main.computed(split) for split in main.splits}, self.parameters),
        )


def drafted(
    dataset: Dataset[P],
    tables: Tables,
    facts: ReleaseFacts,
    parameters: P,
    shares: SplitShares | None = None,
) -> Draft:
    """Build the draft of a release from whole tables; raises as `laid_out`."""
    return laid_out(dataset, [tables], parameters, shares).draft(facts)


def laid_out(
    dataset: Dataset[P],
    slices: Iterable[Tables],
    parameters: P,
    shares: SplitShares | None = None,
    workers: Workers = HERE,
) -> LaidOut[P]:
    """Lay out the tables of each slice of a round, which come in the order that their rows have.

    `workers` derive and recompute blocks of rows.

    Raises NothingToRelease if no row is left, and SchemaError if rows break their schema or a derived column differs
    from its recomputation.
    """
    shares, scratch = shares or SplitShares(), Scratch()
    configs = {config.name: ConfigRows(config, parameters, shares, scratch) for config in dataset.configs}
    measuring = {config.name: Measuring(dataset, config, parameters, workers) for config in dataset.measured}
    counts = Counter[str]()
    label_counts: dict[str, Counter[str]] = {}
    for tables in slices:
        for base in dataset.measured:
            for measured in measuring[base.name].parts(tables):
                rows = measured.part.kept
                splits = configs[base.name].add(measured.part)
                for name, derived in measured.derived.items():
                    configs[name].follow(rows, derived)
                if base is dataset.main:
                    counts.update(dataset.counts(rows))
                    for split, part in splits.items():
                        label_counts.setdefault(split, Counter()).update(dataset.label_counts(part))
    for of_config in measuring.values():
        of_config.require_right()
    _require_rows(dataset, configs[dataset.main.name])
    for made in configs.values():
        made.finish()
    there = [made for made in configs.values() if made.config.table or made.is_allowed]
    return LaidOut(
        dataset=dataset,
        parameters=parameters,
        shares=shares,
        tables={made.config.name: _table(made) for made in there if made.splits},
        stages=tuple(
            StageFacts(name=f"release: {made.config.name}", kept=made.kept, dropped=made.counts)
            for made in sorted(there, key=lambda made: made.config.table is None)  # what was measured first
        ),
        counts=counts,
        label_counts={split: labels for split in configs[dataset.main.name].splits if (labels := label_counts[split])},
    )


def _table(rows: ConfigRows[Any]) -> Table:
    config = rows.config
    return Table(
        schema=config.schema,
        purpose=config.purpose,
        format=config.ready,
        splits=StoredSplits(rows.splits, config.schema),
    )


def exported(parameters: Parameters, shares: SplitShares) -> dict[str, Any]:
    """The parameters that rows are derived and split with, as the manifest keeps them in `settings.export`."""
    return {**parameters.to_json(), "validation": shares.validation, "test": shares.test}


def parameters_in(dataset: Dataset[P], facts: ReleaseFacts) -> P:
    """The parameters in a manifest's facts; raises IncompleteManifest."""
    values = {name: value for name, value in _export(facts).items() if name not in ("validation", "test")}
    try:
        parameters = dataset.parameters.of(values)
        _try(dataset, parameters)
    except (KeyError, TypeError, ValueError, AttributeError) as bad:
        raise IncompleteManifest(f"settings.export lacks what the rows are derived with: {quoted(bad)}") from bad
    return parameters


def _try(dataset: Dataset[P], parameters: P) -> None:
    """Derive no rows at all, so that parameters of others which cannot be raise before there are rows to blame."""
    for config in dataset.measured:
        config.recompute(config.schema.empty(), parameters)
        for derived in dataset.derived_from(config):
            rows = derived.derive(config.schema.empty(), parameters).kept
            if derived.choice is not None:
                derived.choice.reasons(rows.select(derived.choice.columns), parameters)


def shares_in(facts: ReleaseFacts) -> SplitShares:
    """The split shares in a manifest's facts; raises IncompleteManifest."""
    export = _export(facts)
    try:
        return SplitShares(validation=export["validation"], test=export["test"])
    except (KeyError, TypeError, ValueError) as bad:
        raise IncompleteManifest(f"settings.export lacks the shares of the splits: {quoted(bad)}") from bad


def _export(facts: ReleaseFacts) -> Mapping[str, Any]:
    export = facts.settings.get("export", {})
    return export if isinstance(export, Mapping) else {}


def _examples(rows: Rows, columns: Sequence[str]) -> pl.DataFrame:
    """Rows spread over a split, in those of the columns that it has."""
    spread = rows.spread(EXAMPLES)
    return spread.select([name for name in columns if name in spread.columns])


def _require_rows(dataset: Dataset[Any], main: ConfigRows[Any]) -> None:
    if not main.kept:
        reasons = ", ".join(f"{count} {reason}" for reason, count in main.counts.items())
        because = f" after the release dropped {reasons}" if reasons else ""
        raise NothingToRelease(
            f"{dataset.name}: there are no rows to release{because}; look at what the asset dropped for which reason"
        )
