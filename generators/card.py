"""The part of a dataset card that stays the same from version to version: `card.md` in the dataset's folder.

Its front matter is YAML: `pretty_name`, `row` (what a row is), `trains`, `task_categories`, `tags`, `example` and
`papers`. Its body has the sections `Summary`, `How the rows are made` and `Known limits`; the limits are a list.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_FILE = re.compile(r"---\n(?P<front>.*?)\n---\n(?P<body>.*)", re.DOTALL)
_SECTIONS = ("Summary", "How the rows are made", "Known limits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper to cite, by its arXiv number."""

    authors: str
    title: str
    year: int
    arxiv: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a reader must know about a dataset, whatever its rows are.

    `example` is a line of Python that looks at `rows`, a loaded split of the config `default`.
    """

    pretty_name: str
    row: str
    trains: str
    summary: str
    method: str
    limits: tuple[str, ...]
    papers: tuple[Paper, ...]
    task_categories: tuple[str, ...]
    tags: tuple[str, ...]
    example: str

    @classmethod
    def beside(cls, module_file: str) -> "Card":
        """Read the `card.md` in the folder of a module; raises ValueError if a part is missing."""
        return cls.parse(Path(module_file).with_name("card.md").read_text("utf-8"))

    @classmethod
    def parse(cls, text: str) -> "Card":
        """Read the text of a `card.md`; raises ValueError if a part is missing."""
        parts = _FILE.fullmatch(text)
        if parts is None:
            raise ValueError("card.md must begin with front matter between two lines of ---")
        front: Mapping[str, Any] = yaml.safe_load(parts["front"])
        sections = _sections(parts["body"])
        missing = [name for name in _SECTIONS if not sections.get(name)]
        if missing:
            raise ValueError(f"card.md lacks the section {missing[0]}; it needs {', '.join(_SECTIONS)}")
        summary, method, limits = (sections[name] for name in _SECTIONS)
        try:
            return cls(
                pretty_name=front["pretty_name"],
                row=front["row"],
                trains=front["trains"],
                summary=_joined(summary),
                method="\n\n".join(_joined(paragraph) for paragraph in method.split("\n\n")),
                limits=tuple(_joined(limit) for limit in re.split(r"^- ", limits, flags=re.MULTILINE) if limit.strip()),
                papers=tuple(Paper(**paper) for paper in front["papers"]),
                task_categories=tuple(front["task_categories"]),
                tags=tuple(front["tags"]),
                example=front["example"],
            )
        except (KeyError, TypeError) as wrong:
            raise ValueError(f"the front matter of card.md is incomplete: {wrong!r}") from wrong


def _sections(body: str) -> dict[str, str]:
    pieces = re.split(r"^## (.+)$", body, flags=re.MULTILINE)
    return {title.strip(): text.strip() for title, text in zip(pieces[1::2], pieces[2::2], strict=True)}


def _joined(text: str) -> str:
    return " ".join(text.split())
