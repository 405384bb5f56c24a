"""Which columns of a foreign table hold prompt, answer and level, and how one of its rows is read by them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from generators.problems import turns
from generators.problems.choices import CHOICES, Choice, choices_of, right_choice, with_choices
from generators.problems.paths import head, value_at
from generators.problems.unread import MISSING_PROMPT, NEEDS_A_TOLERANCE, NOT_TEXT, Unread, described
from generators.problems.written import AnswerFormat, golds, number_text

T = TypeVar("T")
_OPTIONAL = ("level", "choices", "all_needed", "unit", "tolerance")
_READABLE = "a prompt is a text or a conversation, whose last user turn is read"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    r"""Which columns hold prompt, answer and level, and how the answer is written.

    A column is a name or a dotted path into it, such as `reward_model.ground_truth`. A prompt of several columns joins
    their texts; of a conversation, the last user turn is the prompt. `choices` become part of the prompt, and the
    letter or the text of the right one is the answer. `all_needed` is true where all values of a list make the answer,
    not any one. `unit` is written after the answer. A row that has a `tolerance` of its own is set aside, since a
    source has one rule. `answer_format` is `plain` for the answer alone, `gsm8k` for a solution that ends in `#### 18`,
    `boxed` for one that ends in `\boxed{18}`, `sentence` for one that says `The answer is 18.`, and `none` if there are
    no answers; then no answer column is read.
    """

    prompt: str | tuple[str, ...] = "prompt"
    answer: str = "answer"
    level: str | None = None
    choices: str | None = None
    all_needed: str | None = None
    unit: str | None = None
    tolerance: str | None = None
    answer_format: AnswerFormat = "plain"

    def __post_init__(self) -> None:
        for field in ("answer", *_OPTIONAL):
            if getattr(self, field) == "":
                raise ValueError(f"{field} must name a column, got ''")
        if not self.prompts or "" in self.prompts:
            raise ValueError(f"prompt must name a column, got {self.prompt!r}")
        if self.answer_format not in get_args(AnswerFormat):
            raise ValueError(
                f"answer_format must be one of {', '.join(get_args(AnswerFormat))}, got {self.answer_format!r}"
            )

    @property
    def prompts(self) -> tuple[str, ...]:
        """The columns of the prompt, in the order of their texts."""
        return (self.prompt,) if isinstance(self.prompt, str) else tuple(self.prompt)

    @property
    def has_answers(self) -> bool:
        """Whether an answer column is read."""
        return self.answer_format != "none"

    @property
    def mapped(self) -> dict[str, str | tuple[str, ...]]:
        """The columns to read, by the field that they hold."""
        of_answers = ("answer", "all_needed", "unit", "tolerance") if self.has_answers else ()
        columns = {field: getattr(self, field) for field in ("prompt", "choices", *of_answers, "level")}
        return {field: column for field, column in columns.items() if column is not None}

    @property
    def paths(self) -> dict[str, str]:
        """The field that each path is read for."""
        groups = [(field, (at,) if isinstance(at, str) else at) for field, at in self.mapped.items()]
        return {path: field for field, paths in groups for path in paths}

    def heads(self, columns: Sequence[str]) -> list[str]:
        """The columns of a table in which the paths begin, and those that may hold choices."""
        own = [head(path, columns) for path in self.paths]
        return list(dict.fromkeys([*own, *(name for name in CHOICES if name in columns)]))

    def prompt_of(self, row: Mapping[str, Any]) -> str:
        """The prompt of a row, with its choices if there are any; raises Unread."""
        texts = [_read(row, column, _text_or_question) for column in self.prompts]
        prompt = "\n".join(text for text in texts if text)
        if not texts[-1]:
            column = self.prompts[-1]
            raise Unread(MISSING_PROMPT, described(value_at(row, column)), _READABLE, column)
        return with_choices(prompt, self._choices(row)) if self.choices else prompt

    def system_of(self, row: Mapping[str, Any]) -> str | None:
        """What the system turn of a conversation says, which is no part of the prompt."""
        values = [value_at(row, column) for column in self.prompts]
        return next((turns.system(value) for value in values if turns.is_conversation(value)), None)

    def level_of(self, row: Mapping[str, Any]) -> str | None:
        """The level of a row; raises Unread."""
        return None if self.level is None else _read(row, self.level, _level)

    def golds_of(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """The answer of a row and what else is accepted; blank without answers; raises Unread."""
        if not self.has_answers:
            return ("",)
        if self.tolerance is not None:
            _read(row, self.tolerance, _no_tolerance)
        if self.choices:
            choices = self._choices(row)
            return _read(row, self.answer, lambda value: _right(value, choices, self.answer_format))
        found = _read(row, self.answer, lambda value: golds(value, self.answer_format))
        if self.all_needed and _is_true(value_at(row, self.all_needed)):
            found = (", ".join(found),)
        unit = _read(row, self.unit, _level) if self.unit else None
        return tuple(f"{gold} {unit}" for gold in found) if unit else found

    def _choices(self, row: Mapping[str, Any]) -> list[Choice]:
        return _read(row, str(self.choices), choices_of)


def _read(row: Mapping[str, Any], column: str, reader: Callable[[Any], T]) -> T:
    """What a reader makes of a column; an Unread that it raises names the column."""
    try:
        return reader(value_at(row, column))
    except Unread as error:
        error.column = column
        raise


def _text_or_question(value: Any) -> str:
    if turns.is_conversation(value):
        return turns.question(value).strip()
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value)
    raise Unread(NOT_TEXT, described(value), _READABLE)


def _level(value: Any) -> str | None:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int | float) and value == value:
        return number_text(value)
    if value is None or value != value:
        return None
    raise Unread(NOT_TEXT, described(value), "a text or a number is read")


def _right(value: Any, choices: Sequence[Choice], answer_format: AnswerFormat) -> tuple[str, ...]:
    """The right choice: its value as it is, or the answer that it is written as."""
    if answer_format == "plain" and not isinstance(value, list):
        return right_choice(value, choices)
    return tuple(dict.fromkeys(form for gold in golds(value, answer_format) for form in right_choice(gold, choices)))


def _no_tolerance(value: Any) -> None:
    if value not in (None, "", 0, False):
        remedy = "one rule holds for a source: set its `tolerance`, and leave the column out, to judge all rows by it"
        raise Unread(NEEDS_A_TOLERANCE, f"the tolerance {value!r}", remedy)


def _is_true(value: Any) -> bool:
    return value is True or value == 1 or str(value).strip().lower() == "true"
