"""Our own worked examples of long chains of thought.

Each is a Markdown file in the folder `examples`: `# Problem`, `# Thoughts`, `# Solution` and, where the answer can be
checked, `# Answer`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Collection = Literal["general", "short"]

_FOLDERS: dict[Collection, str] = {"general": "examples", "short": "examples/short"}
_HEADING = re.compile(r"^# (Problem|Thoughts|Solution|Answer)[ \t]*$", re.MULTILINE)
_HEADINGS = ["Problem", "Thoughts", "Solution", "Answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A problem with thoughts and a solution; `answer` is the solution's answer, where that can be checked."""

    name: str
    problem: str
    thoughts: str
    solution: str
    answer: str | None = None


@cache
def load_examples(collection: Collection) -> tuple[Example, ...]:
    """The examples of a collection in the order of their names: ten of many fields, or short ones of sums."""
    folder = files("generators.long_cot_traces").joinpath(_FOLDERS[collection])
    named = {entry.name.removesuffix(".md"): entry for entry in folder.iterdir() if entry.name.endswith(".md")}
    return tuple(read_example(name, named[name].read_text(encoding="utf-8")) for name in sorted(named))


def read_example(name: str, text: str) -> Example:
    """Read an example; raises ValueError if a part is missing, blank or out of order."""
    before, *parts = _HEADING.split(text)
    headings, bodies = parts[::2], [body.strip() for body in parts[1::2]]
    if before.strip() or headings not in (_HEADINGS, _HEADINGS[:3]) or not all(bodies):
        raise ValueError(
            f"example {name} must be # Problem, # Thoughts, # Solution and perhaps # Answer in this order, each with "
            f"text, got {', '.join(headings) or 'no heading'}"
        )
    return Example(name=name, **{heading.lower(): body for heading, body in zip(headings, bodies, strict=True)})


def texts_of(examples: Sequence[Example]) -> list[tuple[str, str]]:
    """Every part of every example with its name, as `filters.texts.passages` looks for them."""
    return [
        (f"{example.name}: {part}", getattr(example, part))
        for example in examples
        for part in ("problem", "thoughts", "solution")
    ]
