"""The protocol of a problem source, and the mapping of a foreign table's columns to prompt, answer and level.

A source yields a `Filtered` of candidates: `kept` has the rows with prompt and answer, `dropped` the others with a
reason; `origin` locates a row in its source. A source has answers to all of its problems or to none; without answers,
every answer is blank.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

import polars as pl

from filters.answers.extraction import after_hashes, last_boxed
from filters.rules import Filtered, apply_rules

AnswerFormat = Literal["plain", "gsm8k", "boxed", "none"]
CANDIDATE: dict[str, Any] = {
    "origin": pl.String,
    "prompt": pl.String,
    "answer": pl.String,
    "also_accepted": pl.List(pl.String),
    "level": pl.String,
}


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


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the source as it is, or the reason why it could not be read."""

    origin: str
    fields: Mapping[str, Any] | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    r"""Which columns hold prompt, answer and level, and how the answer is written.

    `answer_format` is `plain` for the answer alone, `gsm8k` for a solution that ends in `#### 18`, `boxed` for one that
    ends in `\boxed{18}`, and `none` if there are no answers; then no answer column is read.
    """

    prompt: str = "prompt"
    answer: str = "answer"
    level: str | None = None
    answer_format: AnswerFormat = "plain"

    def __post_init__(self) -> None:
        for field in ("prompt", "answer", "level"):
            if getattr(self, field) == "":
                raise ValueError(f"{field} must name a column, got ''")
        if self.answer_format not in get_args(AnswerFormat):
            raise ValueError(
                f"answer_format must be one of {', '.join(get_args(AnswerFormat))}, got {self.answer_format!r}"
            )

    @property
    def has_answers(self) -> bool:
        """Whether an answer column is read."""
        return self.answer_format != "none"

    @property
    def mapped(self) -> dict[str, str]:
        """The columns to read, by the field that they hold."""
        columns = {"prompt": self.prompt, "answer": self.answer if self.has_answers else None, "level": self.level}
        return {field: column for field, column in columns.items() if column is not None}

    def check(self, columns: Iterable[str], label: str) -> None:
        """Raise SourceError, naming the table by `label`, unless `columns` holds the mapped columns."""
        existing = sorted(set(columns))
        for field, column in self.mapped.items():
            if column not in existing:
                raise SourceError(f"{label} has no column {column!r}: set {field} to one of {', '.join(existing)}")


def map_columns(entries: Iterable[Entry], columns: ColumnMapping) -> Filtered:
    """Read prompt, answer and level from each entry; drop rows without a prompt or a readable answer."""
    rows = [_row(entry, columns) for entry in entries]
    frame = pl.DataFrame(rows, schema={**CANDIDATE, "unread": pl.String, "solution": pl.String}, orient="row")
    unread = apply_rules(frame, _reasons("unread", frame["unread"].unique().drop_nulls().sort().to_list()))
    rules = {"missing_prompt": pl.col("prompt").str.strip_chars() != ""}
    if columns.has_answers:
        rules["missing_answer"] = pl.col("solution").str.strip_chars() != ""
        rules["no_final_answer"] = pl.col("answer").str.strip_chars() != ""
    judged = unread.then(rules)
    # A dropped row keeps its whole solution, so that a person can see what was refused.
    dropped = judged.dropped.with_columns(pl.coalesce("answer", "solution").alias("answer"))
    return Filtered(judged.kept.drop("unread", "solution"), dropped.drop("unread", "solution"))


def _reasons(column: str, names: list[str]) -> dict[str, pl.Expr]:
    return {name: pl.col(column).ne_missing(name) for name in names}


def _row(entry: Entry, columns: ColumnMapping) -> tuple[Any, ...]:
    if entry.fields is None:
        return entry.origin, None, None, [], None, entry.reason, None
    values = {field: entry.fields.get(column) for field, column in columns.mapped.items()}
    is_text = all(value is None or _text(value) is not None for value in values.values())
    prompt, level = _text(values["prompt"]), _text(values.get("level"))
    solution = _text(values["answer"]) if columns.has_answers else ""
    answer = _final_answer(solution, columns.answer_format) if solution is not None else None
    return entry.origin, prompt, answer, [], level, None if is_text else "not_text", solution


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) and value == value else None


def _final_answer(solution: str, answer_format: AnswerFormat) -> str | None:
    if answer_format in ("plain", "none"):
        return solution
    return after_hashes(solution) if answer_format == "gsm8k" else last_boxed(solution)
