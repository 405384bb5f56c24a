r"""The tiers that need no algebra: strings, numbers with units, words and choices, containers of such.

Knows no worker and no time: what only algebra can tell is handed back as pairs of expressions to compare.
"""

import re
from dataclasses import dataclass

from filters.containers import Container, depth_of, parse_container
from filters.notation import compact, tidy
from filters.quantities import compare_quantities, numbers_within, parse_quantity
from filters.verdicts import Verdict

MAX_LENGTH = 1000
MAX_DEPTH = 10
MAX_ITEMS = 64

_CHOICE = re.compile(r"\(?\s*([A-Z])\s*\)|[A-Z]")
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_WORDS = re.compile(r"[^\W\d_]{2,}")
_BASED = re.compile(r"([0-9A-F]+)_(?:\{([0-9]+)\}|([0-9]))")
_NUMBER_WORD = re.compile(
    r"\b(?:zero|none|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]+teen|twenty|thirty|forty|fifty"
    r"|sixty|seventy|eighty|ninety|hundred|thousand|million|half|third|quarter|dozen|percent|infinite)\b",
    re.IGNORECASE,
)
_INFINITY = re.compile(r"[+-]?\s*\\infty")
_NAMED = re.compile(r"([A-Za-z](?:\([a-z]\))?)\s*(?:=|\\in(?![a-zA-Z]))\s*([^=]+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tier found: a verdict, or None with the pairs that must all be equal for the answers to be equal."""

    verdict: Verdict | None
    tier: str
    pending: tuple[tuple[str, str], ...] = ()


def compare_exactly(answer: str, gold: str) -> Outcome:
    """Compare two answers as far as strings and exact numbers go."""
    if answer.strip() == gold.strip():
        return Outcome(Verdict.EQUAL, "string")
    if max(len(answer), len(gold)) > MAX_LENGTH:
        return Outcome(Verdict.UNPARSED, "guard")
    answer, gold = tidy(answer), tidy(gold)
    if not answer or not gold or not 0 <= max(depth_of(answer), depth_of(gold)) <= MAX_DEPTH:
        return Outcome(Verdict.UNPARSED, "guard")
    return _compare(answer, gold)


def _compare(answer: str, gold: str) -> Outcome:
    answer, gold = _without_names(answer, gold)
    if compact(answer) == compact(gold):
        return Outcome(Verdict.EQUAL, "string")
    for tier in (_numbers, _infinite, _based, _choices, _containers, _words):
        if outcome := tier(answer, gold):
            return outcome
    return Outcome(None, "symbolic", ((answer, gold),))


def _without_names(answer: str, gold: str) -> tuple[str, str]:
    """Take `x =` off one side, or off both where they name the same thing."""
    ours, theirs = _NAMED.fullmatch(answer), _NAMED.fullmatch(gold)
    if ours and theirs and ours[1] != theirs[1]:
        return answer, gold
    ours = None if "=" in gold and not theirs else ours
    theirs = None if "=" in answer and not ours else theirs
    return _value(ours) or answer, _value(theirs) or gold


def _value(named: re.Match[str] | None) -> str | None:
    return named[2] if named and named[1][0] not in named[2] else None


def _numbers(answer: str, gold: str) -> Outcome | None:
    ours, theirs = parse_quantity(answer), parse_quantity(gold)
    if ours and theirs:
        return Outcome(compare_quantities(ours, theirs), "number")
    if theirs and _is_prose(answer):
        # Prose around the gold value may well state it: nobody can tell without reading.
        stated = _NUMBER_WORD.search(answer) or theirs.value in numbers_within(answer)
        return Outcome(Verdict.UNPARSED if stated else Verdict.DIFFERENT, "number")
    return None


def _infinite(answer: str, gold: str) -> Outcome | None:
    if not _INFINITY.fullmatch(answer) and not _INFINITY.fullmatch(gold):
        return None
    plain = all(_INFINITY.fullmatch(side) or parse_quantity(side) for side in (answer, gold))
    same = compact(answer).removeprefix("+") == compact(gold).removeprefix("+")
    return Outcome(Verdict.EQUAL if same else Verdict.DIFFERENT if plain else Verdict.UNPARSED, "number")


def _based(answer: str, gold: str) -> Outcome | None:
    ours, theirs = _BASED.fullmatch(compact(answer)), _BASED.fullmatch(compact(gold))
    if not ours and not theirs:
        return None
    if ours and theirs:
        same_base = (ours[2] or ours[3]) == (theirs[2] or theirs[3])
        same = same_base and ours[1].lstrip("0") == theirs[1].lstrip("0")
        if same or same_base:
            return Outcome(Verdict.EQUAL if same else Verdict.DIFFERENT, "number")
    return Outcome(Verdict.UNPARSED, "number")


def _choices(answer: str, gold: str) -> Outcome | None:
    theirs = _CHOICE.fullmatch(gold)
    if not theirs:
        return None
    ours = _CHOICE.fullmatch(answer)
    if not ours:
        return Outcome(Verdict.UNPARSED, "choice")
    same = ours[0].strip("() ") == theirs[0].strip("() ")
    return Outcome(Verdict.EQUAL if same else Verdict.DIFFERENT, "choice")


def _words(answer: str, gold: str) -> Outcome | None:
    if not _is_words(gold):
        return Outcome(Verdict.UNPARSED, "words") if _is_prose(answer) else None
    ours, theirs = answer.casefold().strip("\"'. "), gold.casefold().strip("\"'. ")
    if ours == theirs:
        return Outcome(Verdict.EQUAL, "words")
    within = re.search(rf"(?<!\w){re.escape(theirs)}(?!\w)", ours)
    return Outcome(Verdict.UNPARSED if within else Verdict.DIFFERENT, "words")


def _is_words(text: str) -> bool:
    return not re.search(r"[0-9\\^=+*/<>|]", text) and bool(_WORDS.search(text))


def _is_prose(text: str) -> bool:
    return _is_words(text) or any(len(word) > 3 for word in _WORDS.findall(_COMMAND.sub(" ", text)))


def _containers(answer: str, gold: str) -> Outcome | None:
    ours, theirs = parse_container(answer), parse_container(gold)
    if ours is None and theirs is None:
        return None
    if ours is None or theirs is None:
        plain = parse_quantity(answer) or parse_quantity(gold)
        return Outcome(Verdict.DIFFERENT if plain else Verdict.UNPARSED, "container")
    if _is_words(gold):
        return None
    if max(len(ours.items), len(theirs.items)) > MAX_ITEMS:
        return Outcome(Verdict.UNPARSED, "guard")
    if ours.kind == theirs.kind and not ours.is_unordered:
        return _in_order(ours, theirs)
    return _out_of_order(ours, theirs)


def _in_order(ours: Container, theirs: Container) -> Outcome:
    if len(ours.items) != len(theirs.items):
        return Outcome(Verdict.DIFFERENT, "container")
    outcomes = [_compare(a, g) for a, g in zip(ours.items, theirs.items, strict=True)]
    verdicts = {outcome.verdict for outcome in outcomes}
    unequal = [outcome.verdict for outcome in outcomes if outcome.verdict is not Verdict.EQUAL]
    if ours.kind == "list" and unequal not in ([], [None]):
        # The same solutions may stand in another order; one open pair among equal ones is still a fair question.
        return _out_of_order(ours, theirs)
    for verdict in (Verdict.DIFFERENT, Verdict.UNPARSED):
        if verdict in verdicts:
            return Outcome(verdict, "container")
    pending = tuple(pair for outcome in outcomes for pair in outcome.pending)
    return Outcome(None if pending else Verdict.EQUAL, "container", pending)


def _out_of_order(ours: Container, theirs: Container) -> Outcome:
    left, missing, undecided = list(ours.items), [], False
    for gold in theirs.items:
        verdicts = [_compare(item, gold).verdict for item in left]
        undecided = undecided or any(verdict not in (Verdict.EQUAL, Verdict.DIFFERENT) for verdict in verdicts)
        if Verdict.EQUAL in verdicts:
            left.pop(verdicts.index(Verdict.EQUAL))
        else:
            missing.append(gold)
    if len(ours.items) != len(theirs.items):
        return Outcome(Verdict.DIFFERENT, "container")
    if left:
        if len(left) == 1 and undecided and _holds_same(ours, theirs):
            return Outcome(None, "container", ((left[0], missing[0]),))
        return Outcome(Verdict.UNPARSED if undecided else Verdict.DIFFERENT, "container")
    return Outcome(Verdict.EQUAL if _holds_same(ours, theirs) else _unlike(ours, theirs), "container")


def _holds_same(ours: Container, theirs: Container) -> bool:
    """Equal items make equal containers: two of a kind, or a set and the bare list of its members."""
    kinds = {ours.kind, theirs.kind}
    return (len(kinds) == 1 and ours.is_unordered) or kinds == {"list", r"\{\}"}


def _unlike(ours: Container, theirs: Container) -> Verdict:
    brackets = {"()", "[]", "(]", "[)"}
    return Verdict.DIFFERENT if {ours.kind, theirs.kind} <= brackets else Verdict.UNPARSED
