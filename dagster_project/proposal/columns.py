"""Which columns hold prompts and answers, and how the answers are written: tried on the rows with the code of a run."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from filters.answers.checker import AnswerChecker
from filters.answers.quantities import plain_number
from generators.problems.gold import verify_gold
from generators.problems.source import AnswerFormat, ColumnMapping, Entry, SourceError, map_columns

# The names that people use, the likeliest first.
PROMPTS = ("problem", "question", "prompt", "query", "instruction", "task", "exercise", "statement", "input", "text")
ANSWERS = (
    *("answer", "final_answer", "ground_truth", "gold", "target", "expected_answer", "result", "solution"),
    *("response", "output", "completion", "reference", "label"),
)
LEVELS = ("level", "difficulty", "grade")
_MARKED: tuple[AnswerFormat, ...] = ("gsm8k", "boxed")
_LONGEST_PLAIN = 60  # characters of an answer without a solution, in the median
_LEAST_SHARE = 0.5  # of the rows must have an answer in a format, for the format to be theirs

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTrial:
    """A column read in a format: how many of the rows have an answer, and how many of those verify."""

    column: str
    format: AnswerFormat
    rows: int
    parsed: int
    verified: int
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns of the problems; `answer` is None where no column reads as an answer."""

    prompt: str
    why_prompt: str
    answer: AnswerTrial | None
    trials: tuple[AnswerTrial, ...]
    level: str | None

    @property
    def mapping(self) -> ColumnMapping:
        """The columns as the settings name them."""
        if self.answer is None:
            return ColumnMapping(prompt=self.prompt, level=self.level, answer_format="none")
        return ColumnMapping(
            prompt=self.prompt, answer=self.answer.column, level=self.level, answer_format=self.answer.format
        )


async def detect_columns(
    rows: Rows, names: Sequence[str], *, label: str, prompt: str | None = None, answer: str | None = None
) -> Columns:
    """The columns of some rows; `prompt` and `answer` are the user's own choice. Raises SourceError."""
    for option, chosen in {"--prompt": prompt, "--answer": answer}.items():
        if chosen is not None and chosen not in names:
            raise SourceError(f"{label} has no column {chosen!r}: set {option} to one of {', '.join(names)}")
    texts = [name for name in names if name != answer and _words(rows, name)]
    named = [name for name in _named(names, PROMPTS) if name in texts]
    chosen_prompt = prompt or next(iter(named), None) or _longest(rows, texts)
    if chosen_prompt is None:
        raise SourceError(
            f"no column of {label} reads as a problem; there are {', '.join(names)}: name it with --prompt"
        )
    why = "you named it" if prompt else "by its name" if chosen_prompt in named else "the longest text"
    trials = [trial async for trial in _trials(rows, names, chosen_prompt, answer)]
    return Columns(
        prompt=chosen_prompt,
        why_prompt=why,
        answer=max(trials, key=lambda trial: trial.verified, default=None),
        trials=tuple(trials),
        level=next((name for name in _named(names, LEVELS) if name not in (chosen_prompt, answer)), None),
    )


async def _trials(rows: Rows, names: Sequence[str], prompt: str, answer: str | None) -> AsyncIterator[AnswerTrial]:
    """Every column and format in which enough rows have an answer, the likeliest first."""
    likely = [answer] if answer else _named(names, ANSWERS, except_=prompt)
    others = [] if answer else [name for name in names if name not in (prompt, *likely)]
    formats: tuple[AnswerFormat, ...] = ("plain", *_MARKED)
    pairs = [(name, format) for name in likely for format in formats]
    pairs += [(name, format) for name in others for format in _MARKED]
    if not likely:
        pairs += [(name, "plain") for name in others if _are_numbers(rows, name)]
    with AnswerChecker() as checker:
        for column, format in pairs:
            trial = await _tried(rows, prompt, column, format, checker)
            if trial is not None:
                yield trial


async def _tried(
    rows: Rows, prompt: str, column: str, format: AnswerFormat, checker: AnswerChecker
) -> AnswerTrial | None:
    entries = [Entry(f"row {number}", row) for number, row in enumerate(rows)]
    read = map_columns(entries, ColumnMapping(prompt=prompt, answer=column, answer_format=format)).kept
    answers = read["answer"].to_list()
    if len(answers) < _LEAST_SHARE * len(rows):
        return None
    if format == "plain" and (median(map(len, answers)) > _LONGEST_PLAIN or any(_is_marked(text) for text in answers)):
        return None
    verified = (await verify_gold(read, checker)).kept.height
    if verified < _LEAST_SHARE * len(rows):
        return None
    return AnswerTrial(
        column=column, format=format, rows=len(rows), parsed=len(answers), verified=verified, answers=tuple(answers)
    )


def _is_marked(text: str) -> bool:
    return "\\boxed" in text or "####" in text


def _named(names: Sequence[str], known: Sequence[str], *, except_: str | None = None) -> list[str]:
    """The columns with a known name, then those with one inside theirs, in the order of the known names."""
    lower = {name: name.lower() for name in names if name != except_}
    exact = [name for word in known for name in lower if lower[name] == word]
    inside = [name for word in known for name in lower if word in lower[name].split("_") and name not in exact]
    return list(dict.fromkeys([*exact, *inside]))


def _words(rows: Rows, name: str) -> float:
    """The words of a column in the median; 0 unless nearly every value is text."""
    texts = [row[name] for row in rows if isinstance(row.get(name), str) and row[name].strip()]
    return median(len(text.split()) for text in texts) if len(texts) >= 0.9 * len(rows) and texts else 0.0


def _are_numbers(rows: Rows, name: str) -> bool:
    """Whether a column holds numbers that are no mere count of the rows."""
    values = [plain_number(str(row.get(name))) for row in rows]
    return None not in values and values not in (list(range(len(rows))), list(range(1, len(rows) + 1)))


def _longest(rows: Rows, texts: Sequence[str]) -> str | None:
    """The column of sentences with the most words that does not hold answers."""
    free = [name for name in texts if _words(rows, name) >= 3 and not _named([name], ANSWERS)]
    return max(free, key=lambda name: _words(rows, name), default=None)
