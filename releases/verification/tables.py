"""Checks the rows of a version against the declared schemas: columns, nulls, rules and unique keys."""

from collections.abc import Iterator

import polars as pl

from filters.schema import Schema
from releases.row_hashes import NUMBER, hashed, repeated
from releases.verification.finding import Checked, Finding, brief
from releases.verification.streamed import Block, StreamedRelease

_ROW = "__row__"


def check_columns(release: StreamedRelease) -> Checked:
    """Every shard can be read and has exactly the declared columns."""
    return Checked.of(release.n_shards, "shards", release.complaints)


def check_rules(release: StreamedRelease) -> Checked:
    """There is no forbidden null, no broken rule, and no duplicate key."""
    findings = [
        block.finding(row, column, complaint)
        for block in release.blocks()
        for row, column, complaint in _broken(block.rows, release.schema(block.config))
    ]
    for config in release.dataset.configs:
        if config.schema.key:
            findings += _repeats(release, config.name)
    return Checked.of(sum(release.heights().values()), "rows", findings)


def repeated_rows(release: StreamedRelease, config: str) -> pl.DataFrame:
    """The rows whose key an earlier row of the config has: the number of each, and of the first one as `first`."""
    key = release.schema(config).key
    return repeated(hashed(release.rows(config).blocks(*key)))


def sound_rows(block: Block, schema: Schema) -> tuple[pl.DataFrame, list[int]]:
    """The rows that break no rule, and the number of each in the block."""
    sound = block.rows.with_row_index(_ROW)
    for rule in (*(no_null for _, no_null in schema.null_checks()), *schema.rules.values()):
        sound = sound.filter(_holds(rule))
    return sound.drop(_ROW), sound[_ROW].to_list()


def _holds(rule: pl.Expr) -> pl.Expr:
    return rule.fill_null(False)


def _broken(rows: pl.DataFrame, schema: Schema) -> Iterator[tuple[int, str | None, str]]:
    """Yield row, column and complaint for every forbidden null, and for the first rule that a row without nulls breaks.

    A rule may rely on the rules before it: list arithmetic needs lists of equal length.
    """
    remaining = rows.with_row_index(_ROW)
    for name, no_null in schema.null_checks():
        for row_number in remaining.filter(~_holds(no_null))[_ROW]:
            yield row_number, name, f"it holds a null; {schema.columns[name].words} is declared"
    remaining = remaining.filter(*(no_null for _, no_null in schema.null_checks()))
    for name, rule in schema.rules.items():
        subject = name.split(":")[0]
        for row in remaining.filter(~_holds(rule)).iter_rows(named=True):
            value = f"; it is {brief(row[subject])}" if subject in row else ""
            yield row[_ROW], subject if subject in row else None, f"the rule {name} is broken{value}"
        remaining = remaining.filter(_holds(rule))


def _repeats(release: StreamedRelease, config: str) -> Iterator[Finding]:
    table, key = repeated_rows(release, config), release.schema(config).key
    values = release.rows(config).take(table[NUMBER].to_list(), *key).rows()
    for number, first, row_key in zip(table[NUMBER], table["first"], values, strict=True):
        place, earlier = release.place(config, number), release.place(config, first)
        complaint = f"{', '.join(key)} {brief(row_key)} are those of {earlier.path}, row {earlier.row}"
        yield Finding(file=place.path, row=place.row, complaint=complaint)
