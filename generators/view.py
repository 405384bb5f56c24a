"""How a row is drawn for a person to read: panels, each of which names the columns that it draws.

A panel is drawn for every config that has the columns that the panel must have; others that a config lacks are left out
of it. A dataset without a view shows its columns.
"""

from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Something that is declared by names of columns, and by parts that are declared in the same way."""

    def columns(self) -> list[str]:
        """Every column that is named, those of the parts too."""
        named: list[str] = []
        for one in fields(self):
            value = getattr(self, one.name)
            for item in value if isinstance(value, tuple) else (value,):
                named += item.columns() if isinstance(item, Named) else [item] if isinstance(item, str) else []
        return named

    def within(self, known: frozenset[str]) -> Self | None:
        """The same without unknown columns; None if one that has no default is unknown."""
        changes = {one.name: _within(getattr(self, one.name), known) for one in fields(self)}
        if any(changes[one.name] is None and one.default is MISSING for one in fields(self)):
            return None
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """The declaration as JSON data; a panel has its kind, too."""
        return {"kind": type(self).__name__.lower()} | {
            one.name: _json(getattr(self, one.name)) for one in fields(self)
        }


def _within(value: Any, known: frozenset[str]) -> Any:
    if isinstance(value, Named):
        return value.within(known)
    if isinstance(value, tuple):
        return tuple(item for item in (_within(item, known) for item in value) if item is not None)
    return value if value in known else None


def _json(value: Any) -> Any:
    if isinstance(value, Named):
        return value.to_json()
    return [_json(item) for item in value] if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts(Named):
    """Right rollouts among the decided ones; the share of them where it has a column, and its 95 % interval."""

    n: str
    n_right: str
    share: str | None = None
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(Named):
    """A figure with its 95 % interval."""

    share: str
    low: str | None = None
    high: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans(Named):
    """Stretches of a text, in characters; those with `kinds` are highlighted by kind, those without are struck."""

    starts: str
    ends: str
    kinds: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps(Named):
    """A solution in steps, each coloured by its value, or by its label where a config has no values.

    `nodes` identify the beginnings that solutions share; the tree of a problem is drawn by them. `root` counts the
    attempts at the problem. `notes` have one item for each step.
    """

    texts: str
    values: Counts | None = None
    labels: str | None = None
    first_wrong: str | None = None
    nodes: str | None = None
    root: Counts | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested(Named):
    """Tokens that were tested by rollouts with them and with another token in their place."""

    positions: str
    confirmed: str
    nominated_by: str | None = None
    kept: Counts | None = None
    replaced: Counts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens(Named):
    """The tokens of a text with their weights, from the position `start` on; `tokenizer` names whose ids they are."""

    ids: str
    weights: str
    start: str
    tokenizer: str
    tested: Tested | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Side(Named):
    """One side of a pair: its text or chat, the whole text that begins with it, and what was measured of it."""

    text: str
    whole: str | None = None
    value: Counts | None = None
    tokens: Tokens | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair(Named):
    """Two sides next to each other, after the text before both; the tree of a problem has both as branches."""

    chosen: Side
    rejected: Side
    before: str | None = None
    margin: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns(Named):
    """A text in parts with something `between` each two of them; each part has the verdict up to its end."""

    parts: str
    between: str
    verdicts: str | None = None
    answers: str | None = None
    masked: Spans | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose(Named):
    """A text, with highlighted stretches."""

    text: str
    spans: Spans | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat(Named):
    """Chat messages, one below the other."""

    messages: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt(Named):
    """The token ids that a trainer reads; those that it does not learn have other labels than their ids."""

    ids: str
    labels: str


Panel = Steps | Pair | Turns | Prose | Chat | Learnt


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The panels of a dataset's rows, and the short columns beside the problem; by default those of its samples."""

    panels: tuple[Panel, ...] = ()
    facts: tuple[str, ...] = ()


NO_VIEW = View()
# How the shapes that trainers read are drawn where a dataset's own panels find none of their columns.
OF_TRAINERS: tuple[Panel, ...] = (
    Steps(texts="completions", labels="labels"),
    Pair(chosen=Side(text="chosen"), rejected=Side(text="rejected")),
    Chat(messages="messages"),
    Prose(text="completion"),
    Prose(text="text"),
    Learnt(ids="input_ids", labels="labels"),
)
