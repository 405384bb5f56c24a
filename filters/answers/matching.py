r"""Compares answers made of answers: in order, out of order, by name, or a list against a single value.

The items are compared by the function that the caller hands in.
"""

import re
from functools import lru_cache

from filters.answers.kinds.containers import Container, parse_container
from filters.answers.kinds.names import assignments, named
from filters.answers.kinds.outcomes import Compare, Outcome
from filters.answers.kinds.quantities import is_grouped, parse_quantity
from filters.answers.kinds.words import is_prose, is_words
from filters.answers.verdicts import AnswerRule, Verdict
from filters.answers.writing.notation import compact

MAX_ITEMS = 64
MAX_REPEATS = 16

_MAY_BE_GROUPED = re.compile(r"[0-9],[0-9]{3}")
_BOTH_SIGNS = re.compile(r"\\pm(?![a-zA-Z])")
_BUILT = re.compile(r"\\\{[^{}]*?(?:\||:|\\mid(?![a-zA-Z])|\\in(?![a-zA-Z]))")
_OTHER_SIGN = re.compile(r"\\mp(?![a-zA-Z])")
_OR = re.compile(r"(?<![a-zA-Z])or(?![a-zA-Z])")
_BRACKETS = frozenset({"()", "[]", "(]", "[)"})
_UNORDERED = frozenset({"list", r"\{\}", r"\pm"})


def compare_containers(left: str, right: str, rule: AnswerRule, compare: Compare) -> Outcome | None:
    """Compare where at least one side is a container; None where neither is."""
    ours, theirs = _container(left), _container(right)
    if ours is None and theirs is None:
        return None
    for grouped, text, container in ((left, right, theirs), (right, left, ours)):
        if is_grouped(grouped) and container and container.kind == "list" and _MAY_BE_GROUPED.search(text):
            return None  # `120,000` is a list only against what is certainly one
    if ours is None or theirs is None:
        return _with_single(ours or theirs, left if ours is None else right, rule, compare)
    if is_words(left) and is_words(right):
        return _of_words(ours, theirs) if bool(_OR.search(left)) == bool(_OR.search(right)) else None
    if bool(_OR.search(left)) != bool(_OR.search(right)) and _has_two_names(ours) and _has_two_names(theirs):
        return Outcome(Verdict.UNPARSED, "container")  # `x = 1 or y = 2` against `x = 1 and y = 2`
    if max(len(ours.items), len(theirs.items)) > MAX_ITEMS:
        return Outcome(Verdict.UNPARSED, "guard")
    ours, theirs = _by_name(ours, theirs)
    if ours.kind == theirs.kind and not ours.is_unordered:
        return _in_order(ours, theirs, rule, compare)
    return _out_of_order(ours, theirs, rule, compare)


def _of_words(ours: Container, theirs: Container) -> Outcome | None:
    """`red, blue` against `red and blue`: equal where all words are; what differs is left to other tiers."""
    sides = [[compact(item).casefold() for item in side.items] for side in (ours, theirs)]
    is_same = ours.kind == theirs.kind == "list" and sides[0] == sides[1]
    return Outcome(Verdict.EQUAL, "container") if is_same else None


def _has_two_names(container: Container) -> bool:
    names = {name for name, _ in filter(None, map(named, container.items))}
    return len(names) > 1


@lru_cache(maxsize=4096)
def _container(text: str) -> Container | None:
    r"""The text as a container; `a \pm b` is two values, also inside a set or list."""
    signs = len(_BOTH_SIGNS.findall(text))
    if _BUILT.match(text):
        return None
    if not signs:
        return None if parse_quantity(text) and not is_grouped(text) else parse_container(text)
    container = parse_container(text)
    if container is None or container.kind in _BRACKETS:
        return Container(r"\pm", _both(text)) if signs == 1 else None
    if container.kind not in _UNORDERED or any(len(_BOTH_SIGNS.findall(item)) > 1 for item in container.items):
        return None
    items = [value for item in container.items for value in (_both(item) if _BOTH_SIGNS.search(item) else (item,))]
    return Container(r"\pm" if container.kind == "list" else container.kind, tuple(items))


def _both(text: str) -> tuple[str, str]:
    r"""The two values of a text with one `\pm`, wherever it stands; `\mp` takes the other sign."""
    upper, lower = _BOTH_SIGNS.sub("+", text), _BOTH_SIGNS.sub("-", text)
    return _OTHER_SIGN.sub("-", upper), _OTHER_SIGN.sub("+", lower)


def _with_single(container: Container | None, single: str, rule: AnswerRule, compare: Compare) -> Outcome | None:
    """A container against what is none: a list may say one value twice, and a set of one member is left open."""
    if container is None:
        return None
    first = container.items[0]
    outcome = compare(first, single, rule)
    is_one = len(container.items) == 1
    if not is_one and container.kind in _UNORDERED:
        repeats = [compare(first, item, rule).verdict for item in container.items[1:MAX_REPEATS]]
        if all(verdict is Verdict.EQUAL for verdict in repeats) and len(repeats) == len(container.items) - 1:
            # `1/2 or 0.5` is one value twice; `5,5` may be two roots, or 5.5.
            is_respelt = len({compact(item) for item in container.items}) == len(container.items)
            return outcome if is_respelt and container.kind != r"\{\}" else Outcome(Verdict.UNPARSED, "container")
        if any(verdict in (None, Verdict.UNPARSED) for verdict in repeats) or any(map(is_prose, container.items)):
            return Outcome(Verdict.UNPARSED, "container")
    if is_one and outcome.verdict is not Verdict.DIFFERENT:
        return Outcome(Verdict.UNPARSED, "container")
    return Outcome(Verdict.DIFFERENT if parse_quantity(single) else Verdict.UNPARSED, "container")


def _by_name(ours: Container, theirs: Container) -> tuple[Container, Container]:
    """Two containers with assignments in the same order, or as a tuple where the other side is one."""
    our_values, their_values = assignments(ours), assignments(theirs)
    if our_values and their_values:
        if our_values.keys() == their_values.keys():
            return (
                Container("named", tuple(our_values[name] for name in sorted(our_values))),
                Container("named", tuple(their_values[name] for name in sorted(our_values))),
            )
    elif our_values and theirs.kind == "()":
        return _as_tuple(ours, our_values), theirs
    elif their_values and ours.kind == "()":
        return ours, _as_tuple(theirs, their_values)
    return ours, theirs


def _as_tuple(container: Container, values: dict[str, str]) -> Container:
    """Assignments in the order of the alphabet as a tuple; others unchanged."""
    return Container("()", tuple(values.values())) if list(values) == sorted(values) else container


def _in_order(ours: Container, theirs: Container, rule: AnswerRule, compare: Compare) -> Outcome:
    if len(ours.items) != len(theirs.items):
        return _matched(ours, theirs, rule, compare)
    outcomes = [compare(a, b, rule) for a, b in zip(ours.items, theirs.items, strict=True)]
    verdicts = {outcome.verdict for outcome in outcomes}
    if ours.kind == "list" and rule.lists != "ordered" and verdicts & {Verdict.DIFFERENT, Verdict.UNPARSED}:
        return _out_of_order(ours, theirs, rule, compare)
    for verdict in (Verdict.DIFFERENT, Verdict.UNPARSED):
        if verdict in verdicts:
            return Outcome(verdict, "container")
    pending = tuple(pair for outcome in outcomes for pair in outcome.pending)
    return Outcome(None if pending else Verdict.EQUAL, "container", pending)


def _out_of_order(ours: Container, theirs: Container, rule: AnswerRule, compare: Compare) -> Outcome:
    ours, theirs = (_without_repeats(s, rule, compare) if s.kind == r"\{\}" else s for s in (ours, theirs))
    return _matched(ours, theirs, rule, compare)


def _without_repeats(container: Container, rule: AnswerRule, compare: Compare) -> Container:
    """A set with each member once, where the members are few."""
    members: list[str] = []
    for item in container.items if len(container.items) <= MAX_REPEATS else ():
        if all(compare(item, member, rule).verdict is not Verdict.EQUAL for member in members):
            members.append(item)
    return Container(container.kind, tuple(members) or container.items)


def _matched(ours: Container, theirs: Container, rule: AnswerRule, compare: Compare) -> Outcome:
    if len(ours.items) != len(theirs.items):
        # A set may have fewer members than are written, and so may a list of solutions.
        is_set = {ours.kind, theirs.kind} <= _UNORDERED
        is_open = is_set and any(_may_repeat(side, rule, compare) for side in (ours, theirs))
        return Outcome(Verdict.UNPARSED if is_open else Verdict.DIFFERENT, "container")
    unmatched, undecided = list(ours.items), False
    pending: list[tuple[str, str]] = []
    for item in theirs.items:
        outcomes = [compare(candidate, item, rule) for candidate in unmatched]
        verdicts = [outcome.verdict for outcome in outcomes]
        undecided = undecided or Verdict.UNPARSED in verdicts
        if Verdict.EQUAL in verdicts:
            unmatched.pop(verdicts.index(Verdict.EQUAL))
        elif verdicts.count(None) == 1:
            # The only candidate with the same values at the sampled points: algebra decides.
            index = verdicts.index(None)
            pending += outcomes[index].pending
            unmatched.pop(index)
        else:
            undecided = undecided or None in verdicts
    if unmatched:
        return Outcome(Verdict.UNPARSED if undecided else Verdict.DIFFERENT, "container")
    if not _are_comparable(ours, theirs, rule):
        return Outcome(_verdict_of_other_kinds(ours, theirs), "container")
    return Outcome(None if pending else Verdict.EQUAL, "container", tuple(pending))


def _may_repeat(container: Container, rule: AnswerRule, compare: Compare) -> bool:
    """Whether two members of a set may be the same, so its size is not known."""
    items = container.items
    if len(items) > MAX_REPEATS:
        return True
    pairs = [(a, b) for n, a in enumerate(items) for b in items[:n]]
    if container.kind == r"\{\}":
        return any(compare(*pair, rule).verdict is not Verdict.DIFFERENT for pair in pairs)
    return any(compare(*pair, rule).verdict is Verdict.EQUAL for pair in pairs)


def _are_comparable(ours: Container, theirs: Container, rule: AnswerRule) -> bool:
    r"""Whether equal items make equal containers: same kind, or a mix of set, `\pm` and bare list."""
    kinds = {ours.kind, theirs.kind}
    if kinds == {"list"}:
        return rule.lists == "unordered"
    return (len(kinds) == 1 and ours.is_unordered) or kinds <= _UNORDERED


def _verdict_of_other_kinds(ours: Container, theirs: Container) -> Verdict:
    return Verdict.DIFFERENT if {ours.kind, theirs.kind} <= _BRACKETS else Verdict.UNPARSED
