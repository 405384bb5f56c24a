r"""Statements that hold values: `\log_8(4) = 2/3`, `max at x = 7`, `P(X=1) = 0.4`, a sentence with a number in it.

Two statements are compared where they are the same text but for the values that a relation or a word such as `at`
introduces. Whether two sentences mean the same is no question here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from filters.answers.kinds.containers import depth_of
from filters.answers.kinds.inequalities import interval_of
from filters.answers.kinds.names import named
from filters.answers.kinds.outcomes import Compare, Outcome
from filters.answers.kinds.quantities import parse_quantity
from filters.answers.kinds.units import read_unit
from filters.answers.kinds.words import is_prose
from filters.answers.verdicts import AnswerRule, Verdict
from filters.answers.writing.notation import compact

MAX_PIECES = 40
MAX_VALUES = 12
MAX_WORDS = 8
_WITH_UNIT = re.compile(r"(.*[0-9a-zA-Z.})])\s+([A-Za-z]+(?: ?[/^] ?[A-Za-z0-9]+)*)", re.DOTALL)
_YES_OR_NO = re.compile(r"(yes|no)(?:\.|$)", re.IGNORECASE)
_BEING = re.compile("is|are|was|were|can|could|will|would|may|might|must|does|do|did|has|have")
_STATING = r"at|on|is|are|equals|be|length|when|if|min|max|pts?|points?"
_JOINING = r"and|or|for|where"
_SEPARATOR = re.compile(
    r"\s*(?P<relation>=|\\approx(?![a-zA-Z]))\s*|\s*(?P<colon>(?<![0-9}\s]):|:(?!\s*[\\0-9-]))\s*"
    r"|\s*(?:;|,(?![0-9]{3}(?![0-9])))\s*"
    rf"|(?<![a-zA-Z\\])(?:(?P<stating>{_STATING})|{_JOINING})(?![a-zA-Z])\.?\s*"
)
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_KNOWN = re.compile(
    r"\\(?:begin|end)\s*\{array\}(?:\s*\{[lcr| ]*\})?|\\(?:begin|end)\s*\{[pbv]?matrix\}"
    r"|\\(?:frac|sqrt|pi|pm|cdot|times|infty|sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|ln|log|exp|cup)(?![a-zA-Z])"
    r"|\\\\|degrees?(?![a-zA-Z])"
)
_VALUE = re.compile(r"[0-9]|\\(?:pi|infty)(?![a-zA-Z])|(?<![a-zA-Z\\])[ei](?![a-zA-Z])")
_VARIABLE = re.compile(r"\\[a-zA-Z]|(?<![a-zA-Z])(?![ei](?![a-zA-Z]))[a-zA-Z]+")
_NOT_UNIQUE = re.compile(r"eigen|\bbas[ie]s\b|\bspan|direction|normal|\bvector", re.IGNORECASE)
_MANY = re.compile(r"\\begin|[,;]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a statement after a separator; `is_value` says that it is a plain value that something introduces."""

    separator: str
    text: str
    is_value: bool
    label: tuple[str, ...] = ()  # the text that the value belongs to


def compare_statements(left: str, right: str, rule: AnswerRule, compare: Compare) -> Outcome | None:
    """Compare two statements that differ in their values alone; None where they differ in more, or only in order."""
    if _are_opposed(left, right):
        return Outcome(Verdict.DIFFERENT, "statement")
    if (formulas := _of_one_unit(left, right)) and (
        outcome := compare(*formulas, rule)
    ).verdict is not Verdict.UNPARSED:
        return outcome
    ours, theirs = _pieces(left), _pieces(right)
    if len(ours) < 2 or [piece.separator for piece in ours] != [piece.separator for piece in theirs]:
        return None
    changed = [
        n for n, (one, other) in enumerate(zip(ours, theirs, strict=True)) if compact(one.text) != compact(other.text)
    ]
    if not changed or any(not (ours[n].is_value and theirs[n].is_value) for n in changed):
        return None
    exact = [n for n in changed if r"\approx" not in ours[n].separator]  # what is rounded may be the same value
    if max(sum(piece.is_value for piece in side) for side in (ours, theirs)) > MAX_VALUES or _measures_twice(ours):
        return None
    if any(_is_new(side[n], others, rule, compare) for side, others in ((ours, theirs), (theirs, ours)) for n in exact):
        return Outcome(Verdict.DIFFERENT, "statement")
    same = all(compare(ours[n].text, theirs[n].text, rule).verdict is Verdict.EQUAL for n in changed)
    computed = {n - 1 for n, piece in enumerate(ours) if piece.separator == "="}  # `2 + 2` in `2 + 2 = 4` is wanted so
    return Outcome(Verdict.EQUAL, "statement") if same and not computed & set(changed) else None


def _of_one_unit(left: str, right: str) -> tuple[str, str] | None:
    """Two formulas that end in the same unit, without it; None for any others."""
    ours, theirs = _WITH_UNIT.fullmatch(left), _WITH_UNIT.fullmatch(right)
    if not ours or not theirs or ours[2] != theirs[2] or read_unit(ours[2], letters=True) is None:
        return None
    return None if is_prose(ours[1]) or is_prose(theirs[1]) else (ours[1], theirs[1])


def _are_opposed(left: str, right: str) -> bool:
    """Whether one text begins with yes and the other with no, or one is the other with `not`."""
    ours, theirs = _YES_OR_NO.match(left), _YES_OR_NO.match(right)
    if ours and theirs:
        return ours[1].lower() != theirs[1].lower()
    shorter, longer = sorted((left.split(), right.split()), key=len)
    if len(longer) > MAX_WORDS or len(longer) != len(shorter) + 1 or longer.count("not") != 1 or "not" in shorter:
        return False
    place = longer.index("not")
    return shorter == longer[:place] + longer[place + 1 :] and _BEING.fullmatch(longer[place - 1]) is not None


@lru_cache(maxsize=4096)
def _pieces(text: str) -> tuple[Piece, ...]:
    """The pieces of a tidy text; none where its brackets do not balance or there are too many."""
    if not _SEPARATOR.search(text) or depth_of(text) < 0:
        return ()
    is_loose = _NOT_UNIQUE.search(text) is not None  # a vector stands for its multiples there
    pieces: list[Piece] = []
    label: tuple[str, ...] = ()
    parts = list(_joined(list(_cut(text))))
    after = [separator for separator, _, _ in parts[1:]] + [""]
    for (separator, introduces, part), following in zip(parts, after, strict=True):
        joins = separator in (",", ";", "and", "or") and following != "="
        continues = joins and bool(pieces) and pieces[-1].is_value and _is_plain(pieces[-1].text)
        is_stated = introduces or continues or (not pieces and interval_of(part) is not None)
        is_plain = _is_plain(part) or (separator == "=" and _is_named(pieces, part))
        is_value = is_stated and is_plain and not (is_loose and _MANY.search(part))
        if not is_value:
            label = (*label, compact(part)) if pieces and not pieces[-1].is_value else (compact(part),)
        pieces.append(Piece(separator, part, is_value, label))
    return tuple(pieces) if len(pieces) <= MAX_PIECES else ()


def _is_named(pieces: list[Piece], value: str) -> bool:
    """Whether the piece before `=` is the name of a function and this its value: `f(x) = 3x`."""
    return bool(pieces) and "(" in pieces[-1].text and named(f"{pieces[-1].text} = {value}") is not None


def _joined(parts: list[tuple[str, bool, str]]) -> Iterator[tuple[str, bool, str]]:
    """The parts, with inequalities that `or` or `and` joins as one."""
    kept = parts[:1]
    for separator, introduces, part in parts[1:]:
        earlier = kept[-1]
        if separator in ("or", "and") and interval_of(part) and interval_of(earlier[2]):
            kept[-1] = (earlier[0], earlier[1], f"{earlier[2]} {separator} {part}")
        else:
            kept.append((separator, introduces, part))
    yield from kept


def _cut(text: str) -> Iterator[tuple[str, bool, str]]:
    """Each separator outside all brackets, whether it introduces a value, and the part after it."""
    separator, introduces, start, at, depth = "", False, 0, 0, 0
    while at < len(text):
        found = _SEPARATOR.match(text, at) if depth == 0 else None
        if found and found.end() > at:
            yield separator, introduces, text[start:at].strip()
            separator, introduces = found[0].strip(), any(found.groupdict().values())
            start = at = found.end()
            continue
        depth += (text[at] in _OPENING) - (text[at] in _CLOSING)
        at += 1
    yield separator, introduces, text[start:].strip()


def _is_plain(text: str) -> bool:
    """Whether a text is a value without variables: a number, perhaps with a unit, numbers in brackets, or bounds."""
    if parse_quantity(text) is not None:
        return True
    condition = interval_of(text)
    bare = _KNOWN.sub(" ", condition[1] if condition else text)
    return _VALUE.search(text) is not None and not _VARIABLE.search(bare)


def _is_new(value: Piece, others: tuple[Piece, ...], rule: AnswerRule, compare: Compare) -> bool:
    """Whether a value is certainly none of those that the other statement has for the same."""
    same = [other for other in others if other.is_value and other.label == value.label]
    values = [other.text for other in same if r"\approx" not in other.separator]
    return all(compare(value.text, other, rule).verdict is Verdict.DIFFERENT for other in values)


def _measures_twice(pieces: tuple[Piece, ...]) -> bool:
    """Whether two measures stand next to each other, as in `1 hour and 30 minutes`, which is one value."""
    units = [bool(piece.is_value and (found := parse_quantity(piece.text)) and found.unit) for piece in pieces]
    return any(units[n] and units[n + 1] and pieces[n + 1].separator in (",", "and") for n in range(len(units) - 1))
