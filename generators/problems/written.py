"""The gold answers of a value: a text, a number, a boolean, a list of these, or a list that is written as text.

The first is the answer, the others are accepted too. A value that says that there is no answer, or that holds tests or
a program, is not read.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from generators.problems import turns
from generators.problems.solutions import after_mark, in_a_sentence, in_boxes
from generators.problems.stated import stated
from generators.problems.unread import (
    MISSING_ANSWER,
    NEEDS_A_SANDBOX,
    NO_FINAL_ANSWER,
    NOT_AN_ANSWER,
    NOT_TEXT,
    Unread,
    described,
    shown,
)

AnswerFormat = Literal["plain", "gsm8k", "boxed", "sentence", "none"]

_READABLE = "an answer is read from a text, a number, a boolean, a list of these, or the last turn of a conversation"
_MARKS: Mapping[AnswerFormat, tuple[Callable[[str], tuple[str, ...]], str]] = {
    "plain": (lambda text: (text,), "the whole text is read"),
    "gsm8k": (after_mark, "what stands after #### is read"),
    "boxed": (in_boxes, r"what stands in \boxed{} is read"),
    "sentence": (in_a_sentence, "a sentence such as 'The answer is 72.' is read"),
}
_NO_ANSWERS = (
    *("proof", "prove", "notfound", "not found", "not_found"),
    *("n/a", "nan", "null", "no answer", "see solution"),
)
_BOOLEANS = {True: "True", False: "False"}
_PROGRAM = re.compile(
    r"^\s*(?:def \w+\(|class \w+[:(]|import \w|from \w+ import |#include\b|assert )|^```", re.MULTILINE
)
_TESTS = ({"inputs", "outputs"}, {"input", "output"}, {"stdin", "stdout"}, {"fn_name"}, {"test_code"})
_LAYOUT_BEHIND = re.compile(r"(?:\\\\|\\(?:noindent|newline|par|medskip|bigskip|smallskip|qquad|quad)|\s+)$")
_LONGEST_LAYOUT = 16  # characters of such a command, at most
_ALTERNATIVES = re.compile(r"\\?#\s*\\?#")
_UNIT_IN_BRACKETS = re.compile(r"(-?[0-9][0-9.,/]*)\s*\(([^()0-9]*[^\W\d_][^()]*)\)")


def golds(value: Any, answer_format: AnswerFormat) -> tuple[str, ...]:
    """The answer, and what else is accepted; raises Unread."""
    if _is_missing(value):
        raise Unread(MISSING_ANSWER, described(value), _READABLE)
    texts = list(_texts(value))
    reader, readable = _MARKS[answer_format]
    found = [_tidy(answer) for text in texts for answer in reader(text)]
    if are_tests(value) or any(_PROGRAM.search(text) for text in found or texts):
        program = f"tests or a program, {shown(str(value))}"
        raise Unread(NEEDS_A_SANDBOX, program, "they need a sandbox, which is not here")
    if not any(found):
        raise Unread(NO_FINAL_ANSWER, described(value), readable)
    answers = [answer for answer in found if answer and answer.casefold().strip(" .$") not in _NO_ANSWERS]
    if not answers:
        raise Unread(NOT_AN_ANSWER, described(value), "it says that the source has no answer to verify by")
    return tuple(dict.fromkeys(form for answer in answers for form in _forms(answer)))


def number_text(value: float) -> str:
    """A number as text; a whole one has no decimal point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def _texts(value: Any) -> Iterator[str]:
    """The texts that a value holds; raises Unread if it holds something else."""
    if isinstance(value, bool):
        yield _BOOLEANS[value]
    elif isinstance(value, int | float):
        yield number_text(value)
    elif isinstance(value, str):
        yield from (text.strip() for text in _listed(value))
    elif turns.is_conversation(value):
        reply = turns.reply(value)
        if reply is None:
            raise Unread(MISSING_ANSWER, "a conversation without a turn of the assistant", _READABLE)
        yield reply.strip()
    elif isinstance(value, Sequence) and not isinstance(value, bytes) and not are_tests(value):
        for item in value:
            if isinstance(item, Mapping | Sequence) and not isinstance(item, str):
                raise Unread(NOT_TEXT, described(value), _READABLE)
            if not _is_missing(item):
                yield from _texts(item)
    elif not are_tests(value):
        raise Unread(NOT_TEXT, described(value), _READABLE)


def _listed(text: str) -> list[str]:
    """The items of a list of texts that is written as text; other texts alone, since `[2, 3]` is an answer itself."""
    if not re.match(r"\s*\[\s*[\"']", text):
        return [text]
    for read in (json.loads, ast.literal_eval):
        try:
            items = read(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(items, list) and all(isinstance(item, str) for item in items):
            return items
    return [text]


def are_tests(value: Any) -> bool:
    """Whether a value, or its text, holds tests of a program: assertions, or inputs with outputs."""
    if isinstance(value, str) and re.match(r"\s*assert\s", value):
        return True
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            return not isinstance(decoded := json.loads(value), str) and are_tests(decoded)
        except (ValueError, RecursionError):
            return False
    if isinstance(value, Mapping):
        return any(keys <= set(value) for keys in _TESTS)
    return isinstance(value, list) and bool(value) and all(map(are_tests, value))


def _is_missing(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, float):
        return value != value
    return value is None or (isinstance(value, Sequence) and all(map(_is_missing, value)))


def _tidy(answer: str) -> str:
    """An answer without the layout commands that were left at its end."""
    end = len(answer)
    while found := _LAYOUT_BEHIND.search(answer, max(0, end - _LONGEST_LAYOUT), end):
        end = found.start()
    return answer[:end].strip()


def _forms(answer: str) -> list[str]:
    """The alternatives of an answer, which `##` separates; `9 (apples)` is 9."""
    parts = [part.strip() for part in _ALTERNATIVES.split(answer)]
    if len(parts) < 2 or not all(parts):
        parts = [answer]
    whole = [part.strip("$").strip() if part.count("$") % 2 else part for part in parts]
    counted = [(_UNIT_IN_BRACKETS.fullmatch(part), part) for part in whole]
    return [form for found, part in counted for form in ([found[1]] if found else stated(part))]
