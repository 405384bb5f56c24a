r"""The tiers that need no algebra: strings, numbers with units, words and choices, containers of such, values.

Every tier treats both sides alike, so that who is called the gold makes no difference. Knows no worker and no time:
what only algebra can tell is handed back as pairs of expressions to compare.
"""

import re
from dataclasses import dataclass

from filters.answers.containers import Container, depth_of, parse_container, split
from filters.answers.inequalities import as_intervals
from filters.answers.notation import compact, tidy
from filters.answers.quantities import compare_quantities, numbers_within, parse_number, parse_quantity, plain_number
from filters.answers.rationals import rational
from filters.answers.values import differ
from filters.answers.verdicts import DEFAULT_RULE, AnswerRule, Verdict

MAX_LENGTH = 1000
MAX_DEPTH = 10
MAX_ITEMS = 64

_CHOICE = re.compile(r"\(?\s*([A-Z])\s*\)|[A-Z]")
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_WORDS = re.compile(r"[^\W\d_]{2,}")
_BASED = re.compile(r"([0-9A-F]+)_(?:\{([0-9]+)\}|([0-9]))")
_MATHEMATICS = re.compile(r"[0-9\\^=+*/<>|]")
_NUMBER_WORD = re.compile(
    r"\b(?:zero|none|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]+teen|twenty|thirty|forty|fifty"
    r"|sixty|seventy|eighty|ninety|hundred|thousand|million|half|third|quarter|dozen|percent|infinite|no|all|both|never"
    r"|undefined|empty|real|nothing)\b",
    re.IGNORECASE,
)
_INFINITY = re.compile(r"[+-]?\s*\\infty")
_NAMED = re.compile(r"([A-Za-z](?:\([a-z]\))?|\([a-z](?:, ?[a-z])+\))\s*(?:=|\\in(?![a-zA-Z]))\s*([^=]+)")
_VARIABLE = re.compile("[a-zA-Z]")
# Two letters are a product, unless they are one of these.
_SHORT_WORDS = re.compile(r"(?:no|on|up|to|in|is|it|at|an|as|or|of|so|we|he|me|my|by|do|go|if|us)", re.IGNORECASE)
_BRACKETS = frozenset({"()", "[]", "(]", "[)"})
_UNORDERED = frozenset({"list", r"\{\}", r"\pm"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tier found: a verdict, or None with the pairs that must all be equal for the answers to be equal."""

    verdict: Verdict | None
    tier: str
    pending: tuple[tuple[str, str], ...] = ()


def compare_exactly(answer: str, gold: str, rule: AnswerRule = DEFAULT_RULE) -> Outcome:
    """Compare two answers as far as strings, exact numbers and values at a few points go."""
    answer, gold = answer.strip(), gold.strip()
    if answer == gold:
        return Outcome(Verdict.EQUAL, "string")
    ours, theirs = plain_number(answer), plain_number(gold)
    if ours is not None and theirs is not None:
        return Outcome(Verdict.EQUAL if ours == theirs else Verdict.DIFFERENT, "number")
    if max(len(answer), len(gold)) > MAX_LENGTH:
        return Outcome(Verdict.UNPARSED, "guard")
    one, other = sorted((tidy(answer), tidy(gold)))
    if not one or not 0 <= max(depth_of(one), depth_of(other)) <= MAX_DEPTH:
        return Outcome(Verdict.UNPARSED, "guard")
    return _compare(one, other, rule)


def _compare(one: str, other: str, rule: AnswerRule) -> Outcome:
    one, other = _without_names(one, other)
    if compact(one) == compact(other):
        return Outcome(Verdict.EQUAL, "string")
    for tier in (_numbers, _infinite, _based, _choices, _inequalities, _containers, _words):
        if outcome := tier(one, other, rule):
            return outcome
    if ("=" in one) != ("=" in other):
        return Outcome(Verdict.UNPARSED, "value")
    ours, theirs = _plainly(one), _plainly(other)
    if differ(ours, theirs):
        return Outcome(Verdict.DIFFERENT, "value")
    if (exact := rational(ours)) is not None and (gold := rational(theirs)) is not None:
        return Outcome(Verdict.EQUAL if exact == gold else Verdict.DIFFERENT, "rational")
    return Outcome(None, "symbolic", ((one, other),))


def _plainly(text: str) -> str:
    """A number as the value tier reads it, without separators or mixed fractions; anything else as it is."""
    value = parse_number(text)
    return text if value is None else f"({value.numerator})/({value.denominator})"


def _without_names(one: str, other: str) -> tuple[str, str]:
    """Take `x =` off one side, or off both where they name the same thing."""
    if "=" not in one and "=" not in other and r"\in" not in one and r"\in" not in other:
        return one, other
    ours, theirs = _NAMED.fullmatch(one), _NAMED.fullmatch(other)
    if ours and theirs and ours[1] != theirs[1]:
        return one, other
    ours = None if "=" in other and not theirs else ours
    theirs = None if "=" in one and not ours else theirs
    return _value(ours) or one, _value(theirs) or other


def _value(named: re.Match[str] | None) -> str | None:
    return named[2] if named and named[1][0] not in named[2] else None


def _numbers(one: str, other: str, rule: AnswerRule) -> Outcome | None:
    ours, theirs = parse_quantity(one), parse_quantity(other)
    if ours and theirs:
        return Outcome(compare_quantities(ours, theirs, rule), "number")
    quantity, text = (ours, other) if ours else (theirs, one)
    if quantity and _is_prose(text):
        # Prose around a value may well state it: nobody can tell without reading.
        stated = _NUMBER_WORD.search(text) or quantity.value in numbers_within(text)
        return Outcome(Verdict.UNPARSED if stated else Verdict.DIFFERENT, "number")
    return None


def _infinite(one: str, other: str, rule: AnswerRule) -> Outcome | None:
    if not _INFINITY.fullmatch(one) and not _INFINITY.fullmatch(other):
        return None
    plain = all(_INFINITY.fullmatch(side) or parse_quantity(side) for side in (one, other))
    same = compact(one).removeprefix("+") == compact(other).removeprefix("+")
    return Outcome(Verdict.EQUAL if same else Verdict.DIFFERENT if plain else Verdict.UNPARSED, "number")


def _based(one: str, other: str, rule: AnswerRule) -> Outcome | None:
    if "_" not in one and "_" not in other:
        return None
    ours, theirs = _BASED.fullmatch(compact(one)), _BASED.fullmatch(compact(other))
    if not ours and not theirs:
        return None
    if ours and theirs and (ours[2] or ours[3]) == (theirs[2] or theirs[3]):
        same = ours[1].lstrip("0") == theirs[1].lstrip("0")
        return Outcome(Verdict.EQUAL if same else Verdict.DIFFERENT, "number")
    return Outcome(Verdict.UNPARSED, "number")


def _choices(one: str, other: str, rule: AnswerRule) -> Outcome | None:
    ours, theirs = _CHOICE.fullmatch(one), _CHOICE.fullmatch(other)
    if not ours and not theirs:
        return None
    if not ours or not theirs:
        return Outcome(Verdict.UNPARSED, "choice")
    same = ours[0].strip("() ") == theirs[0].strip("() ")
    return Outcome(Verdict.EQUAL if same else Verdict.DIFFERENT, "choice")


def _inequalities(one: str, other: str, rule: AnswerRule) -> Outcome | None:
    ours, theirs = as_intervals(one), as_intervals(other)
    if ours is None and theirs is None:
        return None
    if ours and theirs and _VARIABLE.findall(_COMMAND.sub("", one)) != _VARIABLE.findall(_COMMAND.sub("", other)):
        return Outcome(Verdict.UNPARSED, "container")
    outcome = _containers(ours or one, theirs or other, rule)
    return outcome or Outcome(Verdict.UNPARSED, "container")


def _words(one: str, other: str, rule: AnswerRule) -> Outcome | None:
    ours, theirs = _is_words(one), _is_words(other)
    if ours and theirs:
        return Outcome(_same_words(one, other), "words")
    if ours or theirs:
        words, rest = (one, other) if ours else (other, one)
        open_to_reading = _is_prose(rest) or _NUMBER_WORD.search(words)
        return Outcome(Verdict.UNPARSED if open_to_reading else Verdict.DIFFERENT, "words")
    return Outcome(Verdict.UNPARSED, "words") if _is_prose(one) or _is_prose(other) else None


def _same_words(one: str, other: str) -> Verdict:
    ours, theirs = one.casefold().strip("\"'. "), other.casefold().strip("\"'. ")
    if ours == theirs:
        return Verdict.EQUAL
    short, long = sorted((ours, theirs), key=len)
    within = re.search(rf"(?<!\w){re.escape(short)}(?!\w)", long)
    return Verdict.UNPARSED if within else Verdict.DIFFERENT


def _is_words(text: str) -> bool:
    if _MATHEMATICS.search(text):
        return False
    return any(len(word) > 2 or _SHORT_WORDS.fullmatch(word) for word in _WORDS.findall(text))


def _is_prose(text: str) -> bool:
    return _is_words(text) or any(len(word) > 3 for word in _WORDS.findall(_COMMAND.sub(" ", text)))


def _containers(one: str, other: str, rule: AnswerRule) -> Outcome | None:
    ours, theirs = _container(one), _container(other)
    if ours is None and theirs is None:
        return None
    if ours is None or theirs is None:
        plain = parse_quantity(one) or parse_quantity(other)
        return Outcome(Verdict.DIFFERENT if plain else Verdict.UNPARSED, "container")
    if _is_words(one) and _is_words(other):
        return None
    if max(len(ours.items), len(theirs.items)) > MAX_ITEMS:
        return Outcome(Verdict.UNPARSED, "guard")
    if ours.kind == theirs.kind and not ours.is_unordered:
        return _in_order(ours, theirs, rule)
    return _out_of_order(ours, theirs, rule)


def _container(text: str) -> Container | None:
    r"""The container that a text is; `a \pm b` holds two values, in a set or list too."""
    if r"\pm" not in text:
        return parse_container(text)
    if text.count(r"\pm") == 1:
        held = parse_container(text)
        if held is None:
            return Container(r"\pm", _both(text))
        if held.kind in _UNORDERED:
            items = [value for item in held.items for value in (_both(item) if r"\pm" in item else (item,))]
            return Container(r"\pm" if held.kind == "list" else held.kind, tuple(items))
    return None


def _both(text: str) -> tuple[str, str]:
    left, right = split(text, r"\pm")
    return f"{left}+{right}", f"{left}-{right}"


def _in_order(ours: Container, theirs: Container, rule: AnswerRule) -> Outcome:
    if len(ours.items) != len(theirs.items):
        return Outcome(Verdict.DIFFERENT, "container")
    outcomes = [_compare(a, b, rule) for a, b in zip(ours.items, theirs.items, strict=True)]
    verdicts = {outcome.verdict for outcome in outcomes}
    if ours.kind == "list" and rule.lists != "ordered" and verdicts & {Verdict.DIFFERENT, Verdict.UNPARSED}:
        return _out_of_order(ours, theirs, rule)
    for verdict in (Verdict.DIFFERENT, Verdict.UNPARSED):
        if verdict in verdicts:
            return Outcome(verdict, "container")
    pending = tuple(pair for outcome in outcomes for pair in outcome.pending)
    return Outcome(None if pending else Verdict.EQUAL, "container", pending)


def _out_of_order(ours: Container, theirs: Container, rule: AnswerRule) -> Outcome:
    if len(ours.items) != len(theirs.items):
        return Outcome(Verdict.DIFFERENT, "container")
    left, undecided = list(ours.items), False
    pending: list[tuple[str, str]] = []
    for item in theirs.items:
        outcomes = [_compare(min(candidate, item), max(candidate, item), rule) for candidate in left]
        verdicts = [outcome.verdict for outcome in outcomes]
        undecided = undecided or Verdict.UNPARSED in verdicts
        if Verdict.EQUAL in verdicts:
            left.pop(verdicts.index(Verdict.EQUAL))
        elif verdicts.count(None) == 1:
            # The one that has the same value, as far as values go: algebra has the last word.
            place = verdicts.index(None)
            pending += outcomes[place].pending
            left.pop(place)
        else:
            undecided = undecided or None in verdicts
    if left:
        return Outcome(Verdict.UNPARSED if undecided else Verdict.DIFFERENT, "container")
    if not _holds_same(ours, theirs, rule):
        return Outcome(_unlike(ours, theirs), "container")
    return Outcome(None if pending else Verdict.EQUAL, "container", tuple(pending))


def _holds_same(ours: Container, theirs: Container, rule: AnswerRule) -> bool:
    r"""Equal items make equal containers: two of a kind, or a set, a `\pm` and the bare list of their members."""
    kinds = {ours.kind, theirs.kind}
    if kinds == {"list"}:
        return rule.lists == "unordered"
    return (len(kinds) == 1 and ours.is_unordered) or kinds <= _UNORDERED


def _unlike(ours: Container, theirs: Container) -> Verdict:
    return Verdict.DIFFERENT if {ours.kind, theirs.kind} <= _BRACKETS else Verdict.UNPARSED
