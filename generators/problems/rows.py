"""The rows of one problem file, whose suffix gives the format: JSONL, JSON, Parquet, CSV or TSV, plain or gzipped.

A broken line costs only that line. A row that is a conversation, not an object, has it in the column `messages`.
"""

import codecs
import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from generators.problems import turns
from generators.problems.source import Entry
from generators.problems.unread import described, shown

SUFFIXES = (".jsonl", ".json", ".parquet", ".csv", ".tsv", ".jsonl.gz", ".json.gz", ".csv.gz", ".tsv.gz")
UTF8_MARK = codecs.BOM_UTF8
BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
CONVERSATION = "messages"  # the column of a row that is a conversation
_READABLE = "a row is an object with columns, or a conversation"


class Unreadable(Exception):
    """A file has another format than its suffix says; the message is the reason."""


def suffix_of(path: str) -> str | None:
    """The suffix of a file that can be read; None of another."""
    return next((suffix for suffix in sorted(SUFFIXES, key=len, reverse=True) if path.endswith(suffix)), None)


def rows_in(content: bytes, suffix: str) -> list[Entry]:
    """Every row of a file as it is; raises Unreadable."""
    try:
        plain = gzip.decompress(content) if suffix.endswith(".gz") else content
    except (OSError, EOFError) as error:
        raise Unreadable(str(error)) from error
    if not plain.strip():
        return []
    plain = _in_utf8(plain).removeprefix(UTF8_MARK)
    match suffix.removesuffix(".gz"):
        case ".jsonl":
            return unwrapped(_json_lines(plain))
        case ".json":
            return unwrapped(_json(plain))
        case _:
            return _table(plain, suffix.removesuffix(".gz"))


def _in_utf8(content: bytes) -> bytes:
    """Text whose first bytes say that it is UTF-16, as spreadsheets write it, in UTF-8; all else unchanged."""
    if not content.startswith(BYTE_ORDER_MARKS):
        return content
    try:
        return content.decode("utf-16").encode()
    except UnicodeError as error:
        raise Unreadable(str(error)) from error


def _json_lines(content: bytes) -> list[Entry]:
    lines = enumerate(content.split(b"\n"), start=1)
    return [line_entry(f"line {number}", line) for number, line in lines if line.strip()]


def line_entry(origin: str, line: bytes) -> Entry:
    """The row of one line of JSON; a broken one gives the reason."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        found = f"the line holds {shown(line.decode('utf-8', 'replace'))}; a JSON object is read"
        return Entry(origin, None, "broken_line", found)
    return _entry(origin, value)


def _entry(origin: str, value: Any) -> Entry:
    if isinstance(value, dict):
        return Entry(origin, value)
    if turns.is_conversation(value):
        return Entry(origin, {CONVERSATION: value})
    return Entry(origin, None, "not_an_object", f"the row is {described(value)}; {_READABLE}")


def _json(content: bytes) -> list[Entry]:
    try:
        value = json.loads(content)
    except RecursionError as error:
        raise Unreadable("it is nested too deeply") from error
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError) and error.msg == "Extra data":
            return _json_lines(content)  # lines of JSON under the wrong suffix
        raise Unreadable(str(error)) from error
    rows = value if isinstance(value, list) else list(_rows_of_object(value)) if isinstance(value, dict) else None
    if rows is None:
        raise Unreadable(f"it holds {described(value)}, not a list of rows")
    return [_entry(f"row {number}", row) for number, row in enumerate(rows, start=1)]


def _rows_of_object(table: Mapping[str, Any]) -> Iterable[Any]:
    """The rows of a table that is an object: of columns, of rows by name, or with the list of rows in a field."""
    values = list(table.values())
    lists = [value for value in values if isinstance(value, list)]
    of_objects = [value for value in lists if value and all(isinstance(item, dict) for item in value)]
    if len(lists) == len(values) and len(set(map(len, lists))) == 1 and (len(lists) > 1 or not of_objects):
        return _zipped(table, range(len(lists[0])))
    if len(of_objects) == 1:
        return of_objects[0]
    if values and all(isinstance(value, dict) for value in values):
        keys = [list(value) for value in values]
        by_place = all(key.isdecimal() for names in keys for key in names) and keys[0]
        return _zipped(table, keys[0]) if by_place and keys.count(keys[0]) == len(keys) else values
    return [table]


def _zipped(columns: Mapping[str, Any], places: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for place in places:
        yield {name: values[place] for name, values in columns.items()}


def unwrapped(entries: Sequence[Entry]) -> list[Entry]:
    """The rows, without an object around each that only gives it a name of its own: `{"problem_7": {...}}`."""
    rows = [entry.fields for entry in entries if entry.fields is not None]
    names = [next(iter(row)) for row in rows if len(row) == 1 and isinstance(next(iter(row.values())), dict)]
    if len(rows) < 2 or len(names) < len(rows) or len(set(names)) < len(rows):
        return list(entries)
    return [
        entry if entry.fields is None else Entry(entry.origin, next(iter(entry.fields.values()))) for entry in entries
    ]


def _table(content: bytes, suffix: str) -> list[Entry]:
    buffer = io.BytesIO(content)
    try:
        frame = pl.read_parquet(buffer) if suffix == ".parquet" else _csv(buffer, suffix)
    except pl.exceptions.PolarsError as error:
        raise Unreadable(str(error).partition("\n")[0]) from error
    return [Entry(f"row {number}", row) for number, row in enumerate(frame.iter_rows(named=True), start=1)]


def _csv(buffer: io.BytesIO, suffix: str) -> pl.DataFrame:
    """The table of a CSV file; where its first line has no comma, semicolons or tabs may part its columns."""
    head = buffer.getvalue().partition(b"\n")[0]
    other = next((mark for mark in (b"\t", b";") if mark in head), b",") if b"," not in head else b","
    separator = "\t" if suffix == ".tsv" else other.decode()
    return pl.read_csv(buffer, infer_schema=False, separator=separator)
