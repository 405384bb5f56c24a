r"""The tiers that need no algebra: strings, numbers with units, words, choices, containers of these, and values.

Every tier is symmetric, so it makes no difference which side is the gold answer. What only algebra can decide is
returned as pairs of expressions to compare.
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
# Two letters are a product, unless they are one of these words.
_SHORT_WORDS = re.compile(r"(?:no|on|up|to|in|is|it|at|an|as|or|of|so|we|he|me|my|by|do|go|if|us)", re.IGNORECASE)
_BRACKETS = frozenset({"()", "[]", "(]", "[)"})
_UNORDERED = frozenset({"list", r"\{\}", r"\pm"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """A tier's result: a verdict, or None with the pairs that must all be equal for the answers to be equal."""

    verdict: Verdict | None
    tier: str
    pending: tuple[tuple[str, str], ...] = ()


def compare_exactly(answer: str, gold: str, rule: AnswerRule = DEFAULT_RULE) -> Outcome:
    """Compare two answers by strings, exact numbers, and values at a few points."""
    answer, gold = answer.strip(), gold.strip()
    if answer == gold:
        return Outcome(Verdict.EQUAL, "string")
    left_number, right_number = plain_number(answer), plain_number(gold)
    if left_number is not None and right_number is not None:
        return Outcome(Verdict.EQUAL if left_number == right_number else Verdict.DIFFERENT, "number")
    if max(len(answer), len(gold)) > MAX_LENGTH:
        return Outcome(Verdict.UNPARSED, "guard")
    left, right = sorted((tidy(answer), tidy(gold)))
    if not left or not 0 <= max(depth_of(left), depth_of(right)) <= MAX_DEPTH:
        return Outcome(Verdict.UNPARSED, "guard")
    return _compare(left, right, rule)


def _compare(left: str, right: str, rule: AnswerRule) -> Outcome:
    left, right = _without_names(left, right)
    if compact(left) == compact(right):
        return Outcome(Verdict.EQUAL, "string")
    for tier in (_numbers, _infinite, _based, _choices, _inequalities, _containers, _words):
        if outcome := tier(left, right, rule):
            return outcome
    if ("=" in left) != ("=" in right):
        return Outcome(Verdict.UNPARSED, "value")
    left_text, right_text = _without_separators(left), _without_separators(right)
    if differ(left_text, right_text):
        return Outcome(Verdict.DIFFERENT, "value")
    if (left_value := rational(left_text)) is not None and (right_value := rational(right_text)) is not None:
        return Outcome(Verdict.EQUAL if left_value == right_value else Verdict.DIFFERENT, "rational")
    return Outcome(None, "symbolic", ((left, right),))


def _without_separators(text: str) -> str:
    """A number as the value tier reads it, without separators or mixed fractions; other text unchanged."""
    value = parse_number(text)
    return text if value is None else f"({value.numerator})/({value.denominator})"


def _without_names(left: str, right: str) -> tuple[str, str]:
    """Strip `x =` from one side, or from both if they name the same thing."""
    if "=" not in left and "=" not in right and r"\in" not in left and r"\in" not in right:
        return left, right
    ours, theirs = _NAMED.fullmatch(left), _NAMED.fullmatch(right)
    if ours and theirs and ours[1] != theirs[1]:
        return left, right
    ours = None if "=" in right and not theirs else ours
    theirs = None if "=" in left and not ours else theirs
    return _value(ours) or left, _value(theirs) or right


def _value(named: re.Match[str] | None) -> str | None:
    return named[2] if named and named[1][0] not in named[2] else None


def _numbers(left: str, right: str, rule: AnswerRule) -> Outcome | None:
    ours, theirs = parse_quantity(left), parse_quantity(right)
    if ours and theirs:
        return Outcome(compare_quantities(ours, theirs, rule), "number")
    quantity, text = (ours, right) if ours else (theirs, left)
    if quantity and _is_prose(text):
        # Prose around a value may state it; only a reader can tell.
        stated = _NUMBER_WORD.search(text) or quantity.value in numbers_within(text)
        return Outcome(Verdict.UNPARSED if stated else Verdict.DIFFERENT, "number")
    return None


def _infinite(left: str, right: str, rule: AnswerRule) -> Outcome | None:
    if not _INFINITY.fullmatch(left) and not _INFINITY.fullmatch(right):
        return None
    both_plain = all(_INFINITY.fullmatch(side) or parse_quantity(side) for side in (left, right))
    same = compact(left).removeprefix("+") == compact(right).removeprefix("+")
    return Outcome(Verdict.EQUAL if same else Verdict.DIFFERENT if both_plain else Verdict.UNPARSED, "number")


def _based(left: str, right: str, rule: AnswerRule) -> Outcome | None:
    if "_" not in left and "_" not in right:
        return None
    ours, theirs = _BASED.fullmatch(compact(left)), _BASED.fullmatch(compact(right))
    if not ours and not theirs:
        return None
    if ours and theirs and (ours[2] or ours[3]) == (theirs[2] or theirs[3]):
        same = ours[1].lstrip("0") == theirs[1].lstrip("0")
        return Outcome(Verdict.EQUAL if same else Verdict.DIFFERENT, "number")
    return Outcome(Verdict.UNPARSED, "number")


def _choices(left: str, right: str, rule: AnswerRule) -> Outcome | None:
    ours, theirs = _CHOICE.fullmatch(left), _CHOICE.fullmatch(right)
    if not ours and not theirs:
        return None
    if not ours or not theirs:
        return Outcome(Verdict.UNPARSED, "choice")
    same = ours[0].strip("() ") == theirs[0].strip("() ")
    return Outcome(Verdict.EQUAL if same else Verdict.DIFFERENT, "choice")


def _inequalities(left: str, right: str, rule: AnswerRule) -> Outcome | None:
    ours, theirs = as_intervals(left), as_intervals(right)
    if ours is None and theirs is None:
        return None
    if ours and theirs and _VARIABLE.findall(_COMMAND.sub("", left)) != _VARIABLE.findall(_COMMAND.sub("", right)):
        return Outcome(Verdict.UNPARSED, "container")
    outcome = _containers(ours or left, theirs or right, rule)
    return outcome or Outcome(Verdict.UNPARSED, "container")


def _words(left: str, right: str, rule: AnswerRule) -> Outcome | None:
    ours, theirs = _is_words(left), _is_words(right)
    if ours and theirs:
        return Outcome(_same_words(left, right), "words")
    if ours or theirs:
        words, rest = (left, right) if ours else (right, left)
        open_to_reading = _is_prose(rest) or _NUMBER_WORD.search(words)
        return Outcome(Verdict.UNPARSED if open_to_reading else Verdict.DIFFERENT, "words")
    return Outcome(Verdict.UNPARSED, "words") if _is_prose(left) or _is_prose(right) else None


def _same_words(left: str, right: str) -> Verdict:
    ours, theirs = left.casefold().strip("\"'. "), right.casefold().strip("\"'. ")
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


def _containers(left: str, right: str, rule: AnswerRule) -> Outcome | None:
    ours, theirs = _container(left), _container(right)
    if ours is None and theirs is None:
        return None
    if ours is None or theirs is None:
        is_number = parse_quantity(left) or parse_quantity(right)
        return Outcome(Verdict.DIFFERENT if is_number else Verdict.UNPARSED, "container")
    if _is_words(left) and _is_words(right):
        return None
    if max(len(ours.items), len(theirs.items)) > MAX_ITEMS:
        return Outcome(Verdict.UNPARSED, "guard")
    if ours.kind == theirs.kind and not ours.is_unordered:
        return _in_order(ours, theirs, rule)
    return _out_of_order(ours, theirs, rule)


def _container(text: str) -> Container | None:
    r"""The text as a container; `a \pm b` is two values, also inside a set or list."""
    if r"\pm" not in text:
        return parse_container(text)
    if text.count(r"\pm") == 1:
        container = parse_container(text)
        if container is None:
            return Container(r"\pm", _both(text))
        if container.kind in _UNORDERED:
            items = [value for item in container.items for value in (_both(item) if r"\pm" in item else (item,))]
            return Container(r"\pm" if container.kind == "list" else container.kind, tuple(items))
    return None


def _both(text: str) -> tuple[str, str]:
    before, after = split(text, r"\pm")
    return f"{before}+{after}", f"{before}-{after}"


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
    unmatched, undecided = list(ours.items), False
    pending: list[tuple[str, str]] = []
    for item in theirs.items:
        outcomes = [_compare(min(candidate, item), max(candidate, item), rule) for candidate in unmatched]
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


def _are_comparable(ours: Container, theirs: Container, rule: AnswerRule) -> bool:
    r"""Whether equal items make equal containers: same kind, or a mix of set, `\pm` and bare list."""
    kinds = {ours.kind, theirs.kind}
    if kinds == {"list"}:
        return rule.lists == "unordered"
    return (len(kinds) == 1 and ours.is_unordered) or kinds <= _UNORDERED


def _verdict_of_other_kinds(ours: Container, theirs: Container) -> Verdict:
    return Verdict.DIFFERENT if {ours.kind, theirs.kind} <= _BRACKETS else Verdict.UNPARSED
