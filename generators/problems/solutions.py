r"""The gold answers that a worked solution ends in: after `####`, in `\boxed{}`, or in its last sentence.

Several boxes that the solution names together are one answer of several values, unless it joins them by "or": then each
is accepted.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from filters.answers.extraction import after_hashes, extract_answer

_BRACES = re.compile(r"\\(?:boxed|fbox)\s*\{|\\.|[{}]", re.DOTALL)
_CONNECTED = 60  # characters between two boxes that are named together
_PLAIN = re.compile(r"\\(?:text|textrm|mathrm|quad|qquad|[,;: ()\[\]])|[${}~\s]")
_JOINED = re.compile(r"(?:,|;|and|&)*(?:[a-z]\w*=)?", re.IGNORECASE)
_ALTERNATIVE = re.compile(r"\bor\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])-?(?:[0-9]+(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:/[0-9]+)?%?(?!\w)")
_SENTENCES = re.compile(r"(?<=[.!?。！？])\s+|\n+")


class _Box(NamedTuple):
    start: int
    end: int
    content: str


def after_mark(solution: str) -> tuple[str, ...]:
    """The answer after the last `####`."""
    answer = after_hashes(solution)
    return () if answer is None else (answer,)


def in_boxes(solution: str) -> tuple[str, ...]:
    """The content of the last box, together with those that the solution names in the same breath."""
    boxes = list(_boxes(solution))
    if not boxes:
        return ()
    together, words = [boxes[-1]], []
    for box in reversed(boxes[:-1]):
        between = solution[box.end : together[0].start]
        if not _connects(between):
            break
        together.insert(0, box)
        words.append(between)
    contents = tuple(dict.fromkeys(box.content for box in together))
    if any(_ALTERNATIVE.search(between) for between in words):
        return contents
    return (", ".join(contents),)


def in_a_sentence(solution: str) -> tuple[str, ...]:
    """The answer that a sentence states, or the only number of the last sentence."""
    answer = extract_answer(solution)
    if answer is not None:
        return (answer,)
    numbers = set(_NUMBER.findall(_SENTENCES.split(solution.strip())[-1]))
    return (numbers.pop(),) if len(numbers) == 1 else ()


def _connects(between: str) -> bool:
    """Whether nothing stands between two boxes but marks, `and`, `or` and a name with an equals sign."""
    if len(between) > _CONNECTED or "\n\n" in between:
        return False
    return bool(_JOINED.fullmatch(_PLAIN.sub("", _ALTERNATIVE.sub(",", between))))


def _boxes(text: str) -> Iterator[_Box]:
    r"""Every balanced, non-empty box that stands in no other one."""
    open_braces: list[int | None] = []
    start = 0
    for token in _BRACES.finditer(text):
        word = token.group()
        if word.endswith("{") and word != r"\{":
            if word != "{" and not any(at is not None for at in open_braces):
                start = token.start()
            open_braces.append(None if word == "{" else token.end())
        elif word == "}" and open_braces:
            opened = open_braces.pop()
            is_outer = opened is not None and not any(at is not None for at in open_braces)
            if is_outer and (content := text[opened : token.start()].strip()):
                yield _Box(start, token.end(), content)
