"""Which columns hold prompts and answers, and how the answers are written: tried on the rows with the code of a run."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from dagster_project.proposal.known import known_set, mapping_of
from filters.answers.checker import AnswerChecker
from filters.answers.extraction import find_answer
from filters.answers.kinds.quantities import plain_number
from generators.problems import turns
from generators.problems.choices import CHOICES, choices_of
from generators.problems.gold import verify_gold
from generators.problems.paths import paths_in, value_at
from generators.problems.source import AnswerFormat, ColumnMapping, Entry, SourceError, map_columns
from generators.problems.unread import Unread

# The names that people use, the likeliest first.
PROMPTS = (
    *("problem", "question", "prompt", "query", "instruction", "task", "exercise", "statement", "input", "text"),
    *("messages", "conversations", "conversation", "content"),
)
ANSWERS = (
    *(
        "answer",
        "answers",
        "final_answer",
        "ground_truth",
        "gold",
        "target",
        "expected_answer",
        "answerkey",
        "answer_key",
    ),
    *("correct_answer", "correct", "result", "solution", "response", "output", "completion", "reference", "label"),
)
LEVELS = ("level", "difficulty", "grade")
_BEFORE = ("body", "context", "passage")  # what a question may rest on
_APPLIED_TO = {"instruction": "input"}  # a task, and the column of what it applies to
_OPTION = re.compile(r"(?:(?:op|opt|option|choice)[_ ]?)?([a-d])|(?:opt|option|choice)[_ ]?([1-4])", re.IGNORECASE)
_LEAST_OPTIONS = 3
_OF_VALUES = ("value", "text", "content")  # fields whose names say less than the one that holds them
_MARKED: tuple[AnswerFormat, ...] = ("gsm8k", "boxed")
_LONGEST_PLAIN = 60  # characters of an answer without a solution, in the median
_NEARLY = 0.9  # as many answers that verify as another trial has, or so
_LEAST_SHARE = 0.5  # of the rows must have an answer in a format, for the format to be theirs

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTrial:
    """A mapping that was tried: how many of the rows have an answer, and how many of those verify."""

    mapping: ColumnMapping
    rows: int
    parsed: int
    verified: int
    answers: tuple[str, ...]

    @property
    def column(self) -> str:
        """The column of the answers."""
        return self.mapping.answer

    @property
    def format(self) -> AnswerFormat:
        """How the answers are written."""
        return self.mapping.answer_format


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns of the problems; `answer` is None where no column reads as an answer.

    `preset` names the known set whose columns they are.
    """

    mapping: ColumnMapping
    why_prompt: str
    answer: AnswerTrial | None
    trials: tuple[AnswerTrial, ...]
    preset: str | None = None

    @property
    def level(self) -> str | None:
        """The column of the levels."""
        return self.mapping.level

    def prompts(self, rows: Rows) -> list[str]:
        """The prompts that can be read."""
        return [prompt for row in rows if (prompt := _prompt(row, self.mapping))]


async def detect_columns(
    rows: Rows,
    names: Sequence[str],
    *,
    label: str,
    prompt: str | None = None,
    answer: str | None = None,
    name: str = "",
    dataset: str | None = None,
) -> Columns:
    """The columns of some rows; `prompt` and `answer` are the user's own choice. Raises SourceError.

    `name` is that of the file, `dataset` the id on the Hub, by which a known set is recognised.
    """
    paths = paths_in(rows)
    for option, chosen in {"--prompt": prompt, "--answer": answer}.items():
        if chosen is not None and chosen not in paths:
            raise SourceError(f"{label} has no column {chosen!r}: set {option} to one of {', '.join(names)}")
    preset = known_set(rows, name, dataset) if prompt is None and answer is None else None
    if preset and (known := await _of_the_preset(rows, preset)):
        return known
    asked, why = _asked(rows, paths, label, names, prompt, answer)
    if answer is None:
        _refuse_options(paths, label)
    base = ColumnMapping(
        prompt=asked,
        level=_level(rows, paths, asked, answer),
        choices=_choices(rows, paths, asked),
        answer_format="none",
    )
    trials = [trial async for trial in _trials(rows, paths, base, answer)]
    best = _likeliest(trials)
    return Columns(mapping=best.mapping if best else base, why_prompt=why, answer=best, trials=tuple(trials))


def _likeliest(trials: Sequence[AnswerTrial]) -> AnswerTrial | None:
    """The first trial in the order of likelihood, of those that verify nearly as often as any."""
    most = max((trial.verified for trial in trials), default=0)
    return next((trial for trial in trials if trial.verified >= _NEARLY * most), None)


async def _of_the_preset(rows: Rows, preset: str) -> Columns | None:
    """The columns of a known set, if its answers are in them."""
    with AnswerChecker() as checker:
        trial = await _tried(rows, mapping_of(preset), checker, is_sure=True)
    if trial is None:
        return None
    why = f"by the preset {preset}"
    return Columns(mapping=trial.mapping, why_prompt=why, answer=trial, trials=(trial,), preset=preset)


def _asked(
    rows: Rows, paths: Sequence[str], label: str, names: Sequence[str], prompt: str | None, answer: str | None
) -> tuple[str | tuple[str, ...], str]:
    """The column of the prompts, with one in front of it that the question rests on, and what shows it."""
    if prompt is not None:
        return prompt, "you named it"
    texts = [path for path in paths if path != answer and _words(rows, path)]
    named = next((path for path in _named(paths, PROMPTS) if path in texts), None)
    chosen = named or _longest(rows, texts)
    if chosen is None:
        raise SourceError(
            f"no column of {label} reads as a problem; there are {', '.join(names)}: name it with --prompt"
        )
    why = "by its name" if named else "the longest text"
    beneath = (*_BEFORE, _APPLIED_TO.get(_name(chosen)))
    before = next(
        (name for name in paths if name.lower() in beneath and name != chosen and _some_text(rows, name)), None
    )
    return ((before, chosen), f"{why}, and the text that it rests on") if before and named else (chosen, why)


def _refuse_options(paths: Sequence[str], label: str) -> None:
    """Refuse problems whose choices stand in a column each: without them in the prompt, nobody can choose."""
    options = [path for path in paths if _OPTION.fullmatch(path)]
    if len(options) >= _LEAST_OPTIONS:
        raise SourceError(
            f"the choices of {label} stand in the columns {', '.join(options)}, and one column with a list of them, "
            f"or an object of them by letter, is read: join them in a column 'choices', or, if the prompts show "
            f"the choices, name the column of answers with --answer"
        )


def _level(rows: Rows, paths: Sequence[str], asked: str | tuple[str, ...], answer: str | None) -> str | None:
    scalar = [path for path in paths if all(not isinstance(value_at(row, path), list | dict) for row in rows)]
    return next((path for path in _named(scalar, LEVELS) if path not in (asked, answer)), None)


def _choices(rows: Rows, paths: Sequence[str], asked: str | tuple[str, ...]) -> str | None:
    """The column of choices that the prompts do not show."""
    mapping = ColumnMapping(prompt=asked, answer_format="none")
    hidden = {path: sum(_are_hidden(row, path, mapping) for row in rows) for path in _named(paths, CHOICES)}
    return next((path for path, count in hidden.items() if count > _LEAST_SHARE * len(rows)), None)


def _are_hidden(row: Mapping[str, Any], path: str, mapping: ColumnMapping) -> bool:
    try:
        choices = choices_of(value_at(row, path))
    except Unread:
        return False
    prompt = _prompt(row, mapping) or ""
    return not all(choice.text in prompt for choice in choices)


async def _trials(
    rows: Rows, paths: Sequence[str], base: ColumnMapping, answer: str | None
) -> AsyncIterator[AnswerTrial]:
    """Every column and format in which enough rows have an answer, the likeliest first."""
    free = [path for path in paths if path not in (*base.prompts, base.choices)]
    likely = [answer] if answer else _named(free, ANSWERS)
    others = [] if answer else [path for path in free if path not in likely]
    formats: tuple[AnswerFormat, ...] = ("plain",) if base.choices else ("plain", *_MARKED)
    conversations = [] if answer or base.choices else [path for path in base.prompts if _is_solved(rows, path)]
    pairs = [(path, format) for path in likely for format in formats]
    pairs += [(path, format) for path in [*conversations, *others] for format in formats if format != "plain"]
    if not likely:
        pairs += [(path, "plain") for path in others if _are_numbers(rows, path)]
    found = 0
    with AnswerChecker() as checker:
        for path, format in pairs:
            trial = await _tried(rows, replace(base, answer=path, answer_format=format), checker)
            if trial is not None:
                found += 1
                yield trial
        for path in [] if found or base.choices else likely:
            trial = await _tried(rows, replace(base, answer=path, answer_format="sentence"), checker)
            if trial is not None:
                yield trial


async def _tried(
    rows: Rows, mapping: ColumnMapping, checker: AnswerChecker, *, is_sure: bool = False
) -> AnswerTrial | None:
    mapping = _with_notes(rows, mapping)
    entries = [Entry(f"row {number}", row) for number, row in enumerate(rows)]
    read = map_columns(entries, mapping).kept
    answers = read["answer"].to_list()
    if len(answers) < _LEAST_SHARE * len(rows) and not is_sure:
        return None
    if not answers:
        return None
    is_long = median(map(len, answers)) > _LONGEST_PLAIN or any(_is_marked(text) for text in answers)
    is_long = is_long or sum(map(_is_sentence, answers)) > _LEAST_SHARE * len(answers)
    if mapping.answer_format == "plain" and is_long and not is_sure:
        return None
    verified = (await verify_gold(read, checker)).kept.height
    if verified < _LEAST_SHARE * len(rows) and not is_sure:
        return None
    return AnswerTrial(mapping=mapping, rows=len(rows), parsed=len(answers), verified=verified, answers=tuple(answers))


def _with_notes(rows: Rows, mapping: ColumnMapping) -> ColumnMapping:
    """The mapping with the columns beside a list of answers that say how to take it."""
    if not any("is_multiple_answer" in row for row in rows):
        return mapping
    columns = {"all_needed": "is_multiple_answer", "unit": "unit", "tolerance": "error"}
    there = {field: name for field, name in columns.items() if any(name in row for row in rows)}
    return replace(mapping, **there)  # type: ignore[arg-type]


def _prompt(row: Mapping[str, Any], mapping: ColumnMapping) -> str | None:
    try:
        return mapping.prompt_of(row)
    except Unread:
        return None


def _is_marked(text: str) -> bool:
    return "\\boxed" in text or "####" in text


def _is_sentence(text: str) -> bool:
    """Whether an answer stands in a sentence that states it: "She sold 72. The answer is 72."."""
    found = find_answer(text)
    return found is not None and found.found_by == "phrase"


def _is_solved(rows: Rows, path: str) -> bool:
    """Whether a column holds conversations in which the assistant answers."""
    values = [value_at(row, path) for row in rows]
    return all(turns.is_conversation(value) and turns.reply(value) for value in values)


def _named(paths: Sequence[str], known: Sequence[str]) -> list[str]:
    """The paths with a known name, then those with one inside theirs, in the order of the known names."""
    names = {path: _name(path) for path in paths}
    exact = [path for word in known for path in names if names[path] == word]
    inside = [path for word in known for path in names if word in names[path].split("_") and path not in exact]
    return list(dict.fromkeys([*exact, *inside]))


def _name(path: str) -> str:
    """The name that says what a path leads to."""
    parts = path.lower().split(".")
    return parts[-2] if len(parts) > 1 and parts[-1] in _OF_VALUES else parts[-1]


def _some_text(rows: Rows, path: str) -> bool:
    values = [value_at(row, path) for row in rows]
    return any(isinstance(value, str) and value.strip() for value in values) and all(
        value is None or isinstance(value, str) for value in values
    )


def _words(rows: Rows, path: str) -> float:
    """The words of a column in the median; 0 unless nearly every value is text or a conversation."""
    mapping = ColumnMapping(prompt=path, answer_format="none")
    texts = [
        text
        for row in rows
        if (isinstance(value := value_at(row, path), str) or turns.is_conversation(value))
        and (text := _prompt(row, mapping))
    ]
    return median(len(text.split()) for text in texts) if len(texts) >= 0.9 * len(rows) and texts else 0.0


def _are_numbers(rows: Rows, path: str) -> bool:
    """Whether a column holds numbers that are no mere count of the rows."""
    values = [plain_number(str(value_at(row, path))) for row in rows]
    return None not in values and values not in (list(range(len(rows))), list(range(1, len(rows) + 1)))


def _longest(rows: Rows, texts: Sequence[str]) -> str | None:
    """The column of sentences with the most words that does not hold answers."""
    free = [path for path in texts if _words(rows, path) >= 3 and not _named([path], ANSWERS)]
    return max(free, key=lambda path: _words(rows, path), default=None)
