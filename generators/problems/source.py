"""The protocol of a problem source, and the candidates that a foreign table's columns make.

A source yields a `Filtered` of candidates: `kept` has the rows with prompt and answer, `dropped` the others with a
reason and with what was found there; `origin` locates a row in its source. A source has answers to all of its problems
or to none; without answers, every answer is blank.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import polars as pl

from filters.rules import REASON, Filtered
from generators.problems.choices import CHOICES, choices_of
from generators.problems.columns import ColumnMapping
from generators.problems.paths import leads_somewhere, paths_in, value_at
from generators.problems.unread import NO_FINAL_ANSWER, Unread
from generators.problems.written import AnswerFormat, are_tests

__all__ = [
    "AnswerFormat",
    "ColumnMapping",
    "Entry",
    "Fingerprinted",
    "ProblemSource",
    "SourceError",
    "check_columns",
    "map_chunks",
    "map_columns",
]

# `system` is what a conversation's system turn says: it is kept apart, and never part of the prompt.
CANDIDATE: dict[str, Any] = {
    "origin": pl.String,
    "prompt": pl.String,
    "answer": pl.String,
    "also_accepted": pl.List(pl.String),
    "level": pl.String,
    "system": pl.String,
}
FOUND = "found"  # of a dropped row: the column, what it holds, and what would be read there
_LISTED = 40  # paths in a message


class SourceError(Exception):
    """A source cannot be used; the message says where the fault is and what to change."""


class ProblemSource(Protocol):
    """Anything that problems come from: a name and its candidates."""

    @property
    def name(self) -> str:
        """The source's name, as in the `source` column."""
        ...

    @property
    def has_answers(self) -> bool:
        """Whether its problems have answers to verify by; if not, all answers are blank."""
        ...

    def candidates(self) -> Filtered:
        """Read the source; raises SourceError if nothing in it can be used."""
        ...


@runtime_checkable
class Fingerprinted(Protocol):
    """A source whose candidates can be identified without mapping and checking them."""

    def fingerprint(self) -> str:
        """What identifies its contents next to its settings; raises SourceError."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the source as it is, or the reason why it could not be read and what was found instead."""

    origin: str
    fields: Mapping[str, Any] | None
    reason: str | None = None
    found: str | None = None


def check_columns(rows: Sequence[Mapping[str, Any]], columns: ColumnMapping, label: str) -> None:
    """Raise SourceError, naming the table by `label`, unless some row has every mapped column."""
    for path, field in columns.paths.items():
        if not leads_somewhere(rows, path):
            if field == "answer" and (tests := tests_in(rows)):
                raise SourceError(
                    f"{label} has no column {path!r} but tests in column {tests!r}, and tests need a sandbox, which "
                    "is not here: set answer to a column of answers, or take the source out"
                )
            existing = ", ".join(sorted(paths_in(rows[:_LISTED]))[:_LISTED])
            raise SourceError(f"{label} has no column {path!r}: set {field} to one of {existing}")
    unread = _unread_choices(rows, columns)
    if unread:
        raise SourceError(
            f"the answers of {label} are labels of the choices in column {unread!r}, which are no part of the prompt: "
            f"set choices to {unread!r}"
        )


def tests_in(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The column whose values are tests of a program, if there is one."""
    names = list(dict.fromkeys(name for row in rows[:_LISTED] for name in row))
    return next((name for name in names if all(are_tests(row.get(name)) for row in rows[:_LISTED])), None)


def _unread_choices(rows: Sequence[Mapping[str, Any]], columns: ColumnMapping) -> str | None:
    """The column of choices whose labels are the answers, though the prompt does not show them."""
    if columns.choices or columns.answer_format != "plain":
        return None
    first = [row for row in rows[:_LISTED] if value_at(row, columns.answer) is not None]
    hidden = {name: sum(_is_hidden(row, name, columns) for row in first) for name in CHOICES}
    return next((name for name, count in hidden.items() if 2 * count > len(first)), None)


def _is_hidden(row: Mapping[str, Any], name: str, columns: ColumnMapping) -> bool:
    try:
        choices, prompt = choices_of(row.get(name)), columns.prompt_of(row)
    except Unread:
        return False
    answer = str(value_at(row, columns.answer)).strip()
    is_a_place = answer.isdecimal() and int(answer) < len(choices)
    is_a_label = is_a_place or answer in [choice.label for choice in choices]
    return is_a_label and not all(choice.text in prompt for choice in choices)


def map_columns(entries: Iterable[Entry], columns: ColumnMapping) -> Filtered:
    """Read prompt, answer and level from each entry; drop rows without a prompt or a readable answer."""
    rows = [_row(entry, columns) for entry in entries]
    frame = pl.DataFrame(rows, schema={**CANDIDATE, REASON: pl.String, FOUND: pl.String})
    is_kept = pl.col(REASON).is_null()
    return Filtered(frame.filter(is_kept).drop(REASON, FOUND), frame.filter(~is_kept))


def map_chunks(pieces: Iterable[Sequence[Entry]], columns: ColumnMapping, label: str) -> Filtered:
    """`map_columns` of entries that come in pieces, whose other columns are forgotten after each.

    Raises SourceError, naming the table by `label`, if no entry can be read or none has a mapped column.
    """
    mapped = [map_columns([], columns)]
    examples: list[Mapping[str, Any]] = []
    unread, first = set(columns.paths), None
    for piece in pieces:
        first = first or piece[0]
        rows = [entry.fields for entry in piece if entry.fields is not None]
        examples += [*([] if examples else rows[:_LISTED]), *_first_with(unread, rows)]
        unread = {path for path in unread if not leads_somewhere(rows, path)}
        mapped.append(map_columns(piece, columns))
    if first is None:
        return mapped[0]
    if not examples:
        raise SourceError(
            f"{label} has no readable row ({first.origin}: {first.reason}): mend the file, where {first.found}"
        )
    check_columns(examples, columns, label)
    return Filtered(pl.concat([one.kept for one in mapped]), pl.concat([one.dropped for one in mapped]))


def _first_with(paths: Iterable[str], rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """For each path, the first row in which it leads somewhere, if there is one."""
    found = (next((row for row in rows if leads_somewhere([row], path)), None) for path in paths)
    return [row for row in found if row is not None]


def _row(entry: Entry, columns: ColumnMapping) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(CANDIDATE) | {"origin": entry.origin, "also_accepted": []}
    row |= {REASON: entry.reason, FOUND: entry.found}
    if entry.fields is None:
        return row
    try:
        # What can be read of a refused row stays with it: its prompt is an item of an evaluation set all the same.
        row["prompt"] = columns.prompt_of(entry.fields)
        row["system"] = columns.system_of(entry.fields)
        row["level"] = columns.level_of(entry.fields)
        row["answer"], *row["also_accepted"] = columns.golds_of(entry.fields)
    except Unread as error:
        row |= {REASON: error.reason, FOUND: str(error)}
        if error.reason == NO_FINAL_ANSWER:
            row["answer"] = str(value_at(entry.fields, columns.answer))  # a person can see what was refused
    return row
