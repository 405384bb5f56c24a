"""The rows of a version against the declared schemas: columns, nulls, rules, and keys that name one row.

Knows schemas, not what the columns mean.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from releases.schemas import PublishedSchema
from releases.verification.finding import Checked, Finding, brief
from releases.verification.opened import OpenedRelease, Part

_PLACE = "__place__"


def check_columns(release: OpenedRelease) -> Checked:
    """Every shard can be read and has exactly the declared columns."""
    return Checked.of(release.n_shards, "shards", release.complaints)


def check_rules(release: OpenedRelease) -> Checked:
    """No forbidden null, no broken rule, and no two rows of one key."""
    parts = list(release.each_part())
    findings = [
        part.finding(row, column, complaint)
        for part in parts
        for row, column, complaint in _broken(part.rows, release.verifier.schemas[part.config])
    ]
    for config, key in release.verifier.keys.items():
        findings += _repeats([part for part in parts if part.config == config], key)
    return Checked.of(sum(part.rows.height for part in parts), "rows", findings)


def sound_rows(part: Part, schema: PublishedSchema) -> tuple[pl.DataFrame, list[int]]:
    """The rows that break nothing, and the place of each in the part."""
    sound = part.rows.with_row_index(_PLACE)
    for rule in (*(column.no_null() for column in schema.columns), *schema.rules.values()):
        sound = sound.filter(_holds(rule))
    return sound.drop(_PLACE), sound[_PLACE].to_list()


def _holds(rule: pl.Expr) -> pl.Expr:
    return rule.fill_null(False)


def _broken(rows: pl.DataFrame, schema: PublishedSchema) -> Iterator[tuple[int, str | None, str]]:
    """Row, column and complaint for every forbidden null, and for the first rule that a row without one breaks.

    A rule may count on those before it: list arithmetic wants lists of one length.
    """
    left = rows.with_row_index(_PLACE)
    for column in schema.columns:
        for place in left.filter(~_holds(column.no_null()))[_PLACE]:
            yield place, column.name, f"it holds a null; {column.words} is declared"
    left = left.filter(*(column.no_null() for column in schema.columns))
    for name, rule in schema.rules.items():
        subject = name.split(":")[0]
        for row in left.filter(~_holds(rule)).iter_rows(named=True):
            value = f"; it is {brief(row[subject])}" if subject in row else ""
            yield row[_PLACE], subject if subject in row else None, f"the rule {name} is broken{value}"
        left = left.filter(_holds(rule))


def _repeats(parts: Sequence[Part], key: Sequence[str]) -> Iterator[Finding]:
    first: dict[tuple[object, ...], Finding] = {}
    for part in parts:
        for row, values in enumerate(part.rows.select(key).iter_rows()):
            found = part.finding(row, None, "")
            before = first.setdefault(values, found)
            if before is not found:
                complaint = f"{', '.join(key)} {brief(values)} are those of {before.file}, row {before.row}"
                yield replace(found, complaint=complaint)
