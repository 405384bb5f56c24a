"""Builds the draft of a release from a dataset's rows: validates, recomputes, and lays out configs and splits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import polars as pl

from filters.rules import Filtered
from filters.schema import Schema, SchemaError
from generators.dataset import Config, Dataset, IncompleteParameters, Parameters, StageFacts
from releases.draft import Draft, Table
from releases.errors import IncompleteManifest, NothingToRelease
from releases.facts import ReleaseFacts
from releases.figures import drawn
from releases.picturing.row_picture import row_picture
from releases.recomputation import differing_columns
from releases.splits import SplitShares, split_by_problem

P = TypeVar("P", bound=Parameters)
EXAMPLES = 3  # rows that the card shows


def drafted(
    dataset: Dataset[P],
    tables: Mapping[str, pl.DataFrame],
    facts: ReleaseFacts,
    parameters: P,
    shares: SplitShares | None = None,
) -> Draft:
    """Build the draft of a release from the tables of a round.

    Raises NothingToRelease if no row is left, and SchemaError if rows break their schema or a derived column differs
    from its recomputation.
    """
    shares = shares or SplitShares()
    parts: dict[str, Filtered] = {}
    for config in dataset.measured:
        parts[config.name] = _measured(dataset, config, tables, parameters)
    main = _some(dataset, parts[dataset.main.name])
    for base in dataset.measured:
        parts |= derived(dataset, base, parts[base.name].kept, parameters)
    laid_out = {
        config.name: Table(
            schema=config.schema,
            purpose=config.purpose,
            format=config.ready,
            splits=split_of(parts[config.name].kept, config.schema, shares),
        )
        for config in dataset.configs
        if config.name in parts
    }
    splits = laid_out[dataset.main.name].splits
    shown = next(iter(splits.values()))
    columns = dataset.main.schema.columns
    pictures = [drawn(dataset.picture, main)] if dataset.picture else []
    return Draft(
        dataset=dataset.name,
        card=dataset.card,
        tables={name: table for name, table in laid_out.items() if table.splits},
        facts=_with_export(facts, parts, exported(parameters, shares)),
        examples=_examples(shown, dataset.sample_columns),
        label_counts={split: counts for split, rows in splits.items() if (counts := dataset.label_counts(rows))},
        pictures=(*pictures, row_picture(dataset, shown, columns, policy=facts.policy)),
        attachments=dataset.attachments(splits, parameters),
    )


def main_rows(dataset: Dataset[P], tables: Mapping[str, pl.DataFrame], parameters: P) -> pl.DataFrame:
    """The rows of the main config; raises SchemaError, and NothingToRelease if no row is left."""
    return _some(dataset, _published(dataset, dataset.main, tables, parameters))


def joined(dataset: Dataset[P], config: Config[P], tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The rows of a measured config's table with the columns that it joins, in order; raises SchemaError.

    What is measured is rounded before anything follows from it, since whoever verifies has only rounded rows.
    """
    schema = dataset.table_schema(config)
    rows = schema.rounded(schema.validate(tables[schema.name]))
    for other in config.joined:
        more = [name for name in other.columns if name in other.key or name not in rows.columns]
        rows = rows.join(other.rounded(other.validate(tables[other.name])).select(more), on=other.key, how="left")
    return ordered(rows, schema.key)


def derived(dataset: Dataset[P], base: Config[P], rows: pl.DataFrame, parameters: P) -> dict[str, Filtered]:
    """The configs derived from the published rows of the measured config `base`, by name."""
    parts = {config.name: config.derive(rows, parameters) for config in dataset.derived_from(base)}
    return {name: part for name, part in parts.items() if part is not None}


def split_of(rows: pl.DataFrame, schema: Schema, shares: SplitShares) -> dict[str, pl.DataFrame]:
    """The validated rows of each non-empty split, as a release can hold them."""
    splits = split_by_problem(rows, shares)
    return {split: schema.validate(schema.rounded(part.select(list(schema.columns)))) for split, part in splits.items()}


def ordered(rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """The rows slice by slice, and by key within one.

    So rows keep their order from version to version, and a slice that is new or made again stands in one place.
    """
    return rows.sort([name for name in ("slice", *key) if name in rows.columns])


def exported(parameters: Parameters, shares: SplitShares) -> dict[str, Any]:
    """The parameters that rows are derived and split with, as the manifest keeps them in `settings.export`."""
    return {**parameters.to_json(), "validation": shares.validation, "test": shares.test}


def parameters_in(dataset: Dataset[P], facts: ReleaseFacts) -> P:
    """The parameters in a manifest's facts; raises IncompleteManifest."""
    values = {name: value for name, value in _export(facts).items() if name not in ("validation", "test")}
    try:
        return dataset.parameters.of(values)
    except (KeyError, TypeError, ValueError, AttributeError) as bad:
        raise IncompleteManifest(f"settings.export lacks what the rows are derived with: {bad!r}") from bad


def shares_in(facts: ReleaseFacts) -> SplitShares:
    """The split shares in a manifest's facts; raises IncompleteManifest."""
    export = _export(facts)
    try:
        return SplitShares(validation=export["validation"], test=export["test"])
    except (KeyError, TypeError, ValueError) as bad:
        raise IncompleteManifest(f"settings.export lacks the shares of the splits: {bad!r}") from bad


def _export(facts: ReleaseFacts) -> Mapping[str, Any]:
    export = facts.settings.get("export", {})
    return export if isinstance(export, Mapping) else {}


def _published(dataset: Dataset[P], config: Config[P], tables: Mapping[str, pl.DataFrame], parameters: P) -> Filtered:
    """The rows of a measured config, and those that it leaves out; raises SchemaError."""
    try:
        part = config.derive(joined(dataset, config, tables), parameters)
    except IncompleteParameters as missing:
        raise _to_be_made_again(dataset, missing) from missing
    if part is None:
        raise RuntimeError(f"{dataset.name}: the measured config {config.name} derives nothing")
    return Filtered(config.schema.rounded(part.kept), part.dropped)


def _measured(dataset: Dataset[P], config: Config[P], tables: Mapping[str, pl.DataFrame], parameters: P) -> Filtered:
    """The rows of a measured config; raises SchemaError if a derived column differs from its recomputation."""
    part = _published(dataset, config, tables, parameters)
    try:
        recomputed = config.recompute(part.kept, parameters)
    except IncompleteParameters as missing:
        raise _to_be_made_again(dataset, missing) from missing
    wrong = differing_columns(part.kept, recomputed)
    if wrong:
        columns = ", ".join(dict.fromkeys(column for columns in wrong.values() for column in columns))
        row = part.kept.row(min(wrong), named=True)
        first = ", ".join(f"{name} {row[name]}" for name in dataset.table_schema(config).key)
        raise _to_be_made_again(
            dataset,
            f"{columns} of config {config.name} do not follow from the others in {len(wrong)} of {part.kept.height} "
            f"rows, first {first}",
        )
    return part


def _to_be_made_again(dataset: Dataset[P], complaint: object) -> SchemaError:
    return SchemaError(f"{dataset.name}: {complaint}: materialise {dataset.name} again")


def _examples(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Rows spread over a split, in those of the columns that it has."""
    step = max(1, rows.height // EXAMPLES)
    return rows.select([name for name in columns if name in rows.columns]).gather_every(step).head(EXAMPLES)


def _some(dataset: Dataset[P], part: Filtered) -> pl.DataFrame:
    if part.kept.is_empty():
        raise NothingToRelease(
            f"{dataset.name}: there are no rows to release{_because(part)}; look at what the asset dropped for which "
            "reason"
        )
    return part.kept


def _because(part: Filtered) -> str:
    reasons = ", ".join(f"{count} {reason}" for reason, count in part.counts().items())
    return f" after the release dropped {reasons}" if reasons else ""


def _with_export(facts: ReleaseFacts, parts: Mapping[str, Filtered], export: dict[str, Any]) -> ReleaseFacts:
    stages = [
        StageFacts(name=f"release: {name}", kept=part.kept.height, dropped=part.counts())
        for name, part in parts.items()
    ]
    return replace(facts, stages=(*facts.stages, *stages), settings={**facts.settings, "export": export})
