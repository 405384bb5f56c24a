"""Checks the rows of a version against the declared schemas: columns, nulls, rules and unique keys."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from filters.schema import Schema
from releases.verification.finding import Checked, Finding, brief
from releases.verification.opened import OpenedRelease, Part

_ROW = "__row__"


def check_columns(release: OpenedRelease) -> Checked:
    """Every shard can be read and has exactly the declared columns."""
    return Checked.of(release.n_shards, "shards", release.complaints)


def check_rules(release: OpenedRelease) -> Checked:
    """There is no forbidden null, no broken rule, and no duplicate key."""
    parts = list(release.each_part())
    findings = [
        part.finding(row, column, complaint)
        for part in parts
        for row, column, complaint in _broken(part.rows, release.schema(part.config))
    ]
    for config in release.dataset.configs:
        if config.schema.key:
            findings += _repeats([part for part in parts if part.config == config.name], config.schema.key)
    return Checked.of(sum(part.rows.height for part in parts), "rows", findings)


def sound_rows(part: Part, schema: Schema) -> tuple[pl.DataFrame, list[int]]:
    """The rows that break no rule, and the number of each in the part."""
    sound = part.rows.with_row_index(_ROW)
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


def _repeats(parts: Sequence[Part], key: Sequence[str]) -> Iterator[Finding]:
    first: dict[tuple[object, ...], Finding] = {}
    for part in parts:
        for row, values in enumerate(part.rows.select(key).iter_rows()):
            finding = part.finding(row, None, "")
            earlier = first.setdefault(values, finding)
            if earlier is not finding:
                complaint = f"{', '.join(key)} {brief(values)} are those of {earlier.file}, row {earlier.row}"
                yield replace(finding, complaint=complaint)
