r"""Finds the boxes of a text (`\boxed{}`, `\fbox{}`, `\framebox{}`) and what the last of them state.

Boxes that a comma or an "and" joins in one conclusion are several values of it. Each search reads the text once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from filters.answers.claims.box_surroundings import with_surroundings
from filters.answers.claims.joined_boxes import joins, value_key

MAX_VALUES = 100

_OPENING = (
    r"(?:\\\\?(?:boxed|fbox|framebox)|(?<![a-zA-Z\\])boxed(?=\{)|\x08oxed(?=\{))(?![a-zA-Z])\s*(?:\[[^\][]{0,20}\]\s*)?"
)
_TOKEN = re.compile(rf"({_OPENING})(\{{)?|\\.|[{{}}]", re.DOTALL)
_NEXT_BOX = re.compile(_OPENING)
# What a box without braces holds: a number, a fraction, a command with its argument, a choice.
_BARE = re.compile(
    r"[-+−]?\s*(?:\\?\$)?(?:[0-9][0-9.,]*(?:/[0-9]+)?|\\[dt]?frac\s*\{[^{}]*\}\s*\{[^{}]*\}|\\[a-zA-Z]+\{[^{}]*\})"
    r"|\([A-Z]\)|[A-Z](?![a-zA-Z])"
)
_LINE_REST = re.compile(r"(?:(?!\\[)\]]|\$|\n).)*", re.DOTALL)
_CELL = re.compile(r"\\begin\s*\{(array|aligned|gathered|split)\}(?:\s*\{[lcr|]\})?(.*)\\end\s*\{\1\}", re.DOTALL)
_MAX_BEFORE = 40
_NEGATED = re.compile(r"\b(?:not|rather than|instead of)\s*(?:\$\$?|\\[(\[])?\s*$", re.IGNORECASE)
_TEXT = re.compile(r"\\(?:text(?:bf|it|rm)?|math(?:rm|bf)|mbox)\s*\{([^{}]*)\}")
_PLACEHOLDER = re.compile(
    r"(?:(?:the|your|my|our|final|numerical|correct) )*(?:answer|result|solution|value|number|expression)s?(?: here)?"
    r"|(?:\\(?:hspace|vspace|[hv]?phantom)\*?\s*\{[^{}]*\}|\\q?quad(?![a-zA-Z])|\\[ ,;:!]|[\s_~?.…{}$]"
    r"|\\[lc]?dots(?![a-zA-Z])|\\square(?![a-zA-Z]))*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Box:
    """A box and its place in the text; `is_open` if its brace never closes and the text ends within it."""

    content: str
    start: int
    end: int
    is_open: bool = False

    @property
    def is_weak(self) -> bool:
        r"""Whether it is cut off, or stands for an answer rather than holding one: `\boxed{answer}`, `\boxed{?}`."""
        return self.is_open or bool(_PLACEHOLDER.fullmatch(_TEXT.sub(r"\1", self.content).strip()))


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The values of the boxes that one conclusion joins, and its place in the text.

    A weak one stands for an answer rather than holding one, or is cut off by the end of the text.
    """

    values: tuple[str, ...]
    start: int
    end: int
    is_weak: bool = False

    @property
    def text(self) -> str:
        """The values as one answer."""
        return ", ".join(self.values)


def last_boxed(text: str) -> str | None:
    r"""Return the value of the last conclusion in boxes: `3, 5` for `\boxed{3} and \boxed{5}`; None without one."""
    conclusion = last_conclusion(text)
    return conclusion.text if conclusion else None


def last_conclusion(text: str) -> Conclusion | None:
    r"""Return the last conclusion that boxes state; a weak one counts where no other does, `not \boxed{5}` never."""
    if "box" not in text and "\x08oxed" not in text:
        return None
    boxes = [box for box in boxes_of(text) if not is_negated(text, box.start)]
    return _conclusion(text, [box for box in boxes if not box.is_weak] or boxes)


def is_negated(text: str, start: int) -> bool:
    r"""Whether the box at `start` is what the answer is not: `not \boxed{5}`, `rather than \boxed{5}`."""
    return bool(_NEGATED.search(text, max(0, start - _MAX_BEFORE), start))


def boxes_of(text: str) -> list[Box]:
    """Return the outermost boxes that hold something, in their order."""
    first = _NEXT_BOX.search(text)
    if first is None:
        return []
    found: list[Box] = []
    openings: list[tuple[int, int] | None] = []
    for token in _TOKEN.finditer(text, first.start()):
        if token[2]:
            openings.append((token.start(), token.end()))
        elif token[1]:
            found.extend(_bare(text, token))
        elif token[0] == "{":
            openings.append(None)
        elif token[0] == "}" and openings and (opening := openings.pop()):
            inside: list[Box] = []
            while found and found[-1].start > opening[0]:
                inside.append(found.pop())
            if content := _held(text, text[opening[1] : token.start()].strip(), inside[::-1]):
                found.append(Box(content, opening[0], token.end()))
    unclosed = [opening for opening in openings if opening]
    if len(unclosed) == 1:
        found.extend(_unclosed(text, *unclosed[0]))
        found.sort(key=lambda box: box.start)
    return found


def _bare(text: str, token: re.Match[str]) -> Iterator[Box]:
    held = _BARE.match(text, token.end())
    if held:
        content = held[0].rstrip(".,")
        yield Box(content.strip(), token.start(), held.start() + len(content))


def _unclosed(text: str, start: int, inside: int) -> Iterator[Box]:
    """A box whose brace is missing ends with its formula or its line; at the end of the text it may be cut off."""
    rest = _LINE_REST.match(text, inside)
    end = rest.end() if rest else len(text)
    content = text[inside:end].strip()
    if content and "box" not in content and r"\begin" not in content:
        yield Box(content, start, end, is_open=end == len(text))


def _held(text: str, content: str, inside: list[Box]) -> str:
    """What a box holds: what the boxes inside it conclude, or else its content, out of a table of one cell."""
    stated = _conclusion(text, [box for box in inside if not box.is_weak])
    if stated:
        return stated.text
    if r"\begin" in content and (cell := _CELL.fullmatch(content)):
        inner = cell[2].strip().removesuffix(r"\\").removeprefix("&").strip()
        return content if "&" in inner or r"\\" in inner else inner
    return content


def _conclusion(text: str, boxes: list[Box]) -> Conclusion | None:
    if not boxes:
        return None
    group = [boxes[-1]]
    for box in reversed(boxes[:-1][-MAX_VALUES:]):
        if not joins(text[box.end : group[-1].start]):
            break
        group.append(box)
    values: dict[Fraction | str, str] = {}
    for box in group:  # of two forms of one value, the later one stays
        value = with_surroundings(text, box.start, box.end, box.content)
        values.setdefault(value_key(value), value)
    return Conclusion(tuple(reversed(values.values())), group[-1].start, group[0].end, group[0].is_weak)
