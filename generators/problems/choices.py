"""The choices of a problem, as sources hold them: texts, labels with texts, or both in one line.

They become part of the prompt, with letters as labels. The letter of the right one is the answer; what is accepted too,
its letter with its text, equals the text alone as well. A text that could be taken for another choice is left out.
"""

import re
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any, NamedTuple

from generators.problems.unread import NOT_A_CHOICE, NOT_TEXT, Unread, described

CHOICES = ("choices", "options", "endings")  # the names that columns of choices have
_LABEL = re.compile(r"^\s*(?:\(([A-Za-z0-9])\)|([A-Za-z0-9])\s*[).:])\s*")
_INLINE = re.compile(r"(?:^|(?<=[\s,;]))\(?([A-Za-z])\s*[).:]\s*")
_TEXTS, _LABELS = ("text", "texts", "choice", "value", "content"), ("label", "labels", "key", "id")
_READABLE = "choices are read as a list of texts, as labels with their texts, or as one line such as 'A) 3 B) 5'"


class Choice(NamedTuple):
    """One choice: the source's own label and the text."""

    label: str
    text: str


def choices_of(value: Any) -> list[Choice]:
    """The choices that a column holds; raises Unread if it holds none."""
    found = _found(value)
    if len(found) < 2 or len(found) > len(ascii_uppercase) or not all(choice.text for choice in found):
        raise Unread(NOT_TEXT, described(value), _READABLE)
    return found


def with_choices(prompt: str, choices: Sequence[Choice]) -> str:
    """The prompt, and below it every choice with a letter."""
    lines = [f"{letter}) {choice.text}" for letter, choice in zip(ascii_uppercase, choices, strict=False)]
    return "\n".join([prompt.rstrip(), "", *lines])


def right_choice(value: Any, choices: Sequence[Choice]) -> tuple[str, ...]:
    """The letter of the right choice, and letter with text; `value` is a label, a place from 0 on, or the text."""
    place = _place(value, choices)
    if place is None and (several := _several(value, choices)):
        return several
    if place is None:
        labels = ", ".join(choice.label for choice in choices)
        raise Unread(NOT_A_CHOICE, described(value), f"the answer of a problem with choices is one of {labels}")
    letter, text = ascii_uppercase[place], choices[place].text
    is_shared = [choice.text.casefold() for choice in choices].count(text.casefold()) > 1
    is_a_letter = text.upper() in _letters(choices)
    return (letter,) if is_shared or is_a_letter else (letter, f"({letter}) {text}")


def _several(value: Any, choices: Sequence[Choice]) -> tuple[str, ...]:
    """The letters of several right choices, as `AD` and as `A, D`; none if the value is something else."""
    letters = re.sub(r"[\s,;&]|and", "", value).upper() if isinstance(value, str) else ""
    is_several = len(letters) > 1 and all(letter in _letters(choices) for letter in letters)
    if not is_several or len(set(letters)) < len(letters):
        return ()
    ordered = sorted(letters)
    return "".join(ordered), ", ".join(ordered)


def _found(value: Any) -> list[Choice]:
    if isinstance(value, Mapping):
        texts, labels = (_field(value, names) for names in (_TEXTS, _LABELS))
        if isinstance(texts, list):
            return _paired(labels or _letters(texts), texts)
        there = {label: text for label, text in value.items() if text is not None}
        return _paired(list(there), list(there.values()))
    if isinstance(value, str):
        return _in_a_line(value)
    if not isinstance(value, Sequence):
        return []
    if value and all(isinstance(item, Mapping) for item in value):
        pairs = [(_field(item, _LABELS), _field(item, _TEXTS)) for item in value]
        labels = [label for label, _ in pairs]
        return _paired(_letters(pairs) if None in labels else labels, [text for _, text in pairs])
    return _labelled([str(item).strip() for item in value if item is not None])


def _labelled(texts: Sequence[str]) -> list[Choice]:
    """Texts that may have their labels in front."""
    marks = [_LABEL.match(text) for text in texts]
    labels = [(mark[1] or mark[2]).upper() for mark in marks if mark]
    if labels != _letters(texts):
        return _paired(_letters(texts), texts)
    return _labelled([text[mark.end() :] for text, mark in zip(texts, marks, strict=True) if mark])


def _paired(labels: Sequence[Any], texts: Sequence[Any]) -> list[Choice]:
    return [Choice(str(label).strip(), str(text or "").strip()) for label, text in zip(labels, texts, strict=False)]


def _in_a_line(line: str) -> list[Choice]:
    """The longest run of labels A, B, C, … in a line, with what stands behind each."""
    marks: list[re.Match[str]] = []
    for mark in _INLINE.finditer(line):
        if mark[1].upper() == ascii_uppercase[len(marks) : len(marks) + 1]:
            marks.append(mark)
    if not marks:
        return []
    ends = [mark.start() for mark in marks[1:]] + [len(line)]
    return [
        Choice(mark[1].upper(), line[mark.end() : end].strip().rstrip(",;").strip())
        for mark, end in zip(marks, ends, strict=True)
    ]


def _place(value: Any, choices: Sequence[Choice]) -> int | None:
    if isinstance(value, bool) or value is None:
        return None
    labels = [choice.label.casefold() for choice in choices]
    written = str(value).strip().casefold()
    bare = written.strip("().: ")
    for wanted in (written, bare):
        if wanted in labels:
            return labels.index(wanted)
    texts = [choice.text.casefold() for choice in choices]
    counted = int(bare) if bare.isdecimal() and int(bare) < len(choices) else None
    if isinstance(value, int) and counted is not None:
        return counted
    if texts.count(written) == 1:
        return texts.index(written)
    if counted is not None:
        return counted
    letters = ascii_uppercase[: len(choices)].casefold()
    return letters.index(bare) if len(bare) == 1 and bare in letters else None


def _field(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((row[name] for name in names if name in row), None)


def _letters(items: Sequence[Any]) -> list[str]:
    return list(ascii_uppercase[: len(items)])
