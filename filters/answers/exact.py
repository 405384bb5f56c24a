r"""The tiers that need no algebra: strings, numbers with units, words, choices, containers of these, and values.

Every tier is symmetric, so it makes no difference which side is the gold answer. What only algebra can decide is
returned as pairs of expressions to compare.
"""

import re
from functools import lru_cache

from filters.answers.algebra.families import are_other_families
from filters.answers.algebra.values import differ
from filters.answers.kinds.approximations import compare_approximations
from filters.answers.kinds.calls import computed, exact_value
from filters.answers.kinds.choices import compare_choices, read_choice
from filters.answers.kinds.congruences import compare_congruences
from filters.answers.kinds.containers import depth_of, parse_container
from filters.answers.kinds.decimals import comma_decimal, in_lakhs
from filters.answers.kinds.inequalities import interval_of
from filters.answers.kinds.measured_formulas import compare_measured
from filters.answers.kinds.names import without_names
from filters.answers.kinds.outcomes import Outcome
from filters.answers.kinds.quantities import (
    Quantity,
    compare_quantities,
    is_grouped,
    numbers_within,
    parse_number,
    parse_quantity,
    plain_number,
)
from filters.answers.kinds.ratios import compare_ratios
from filters.answers.kinds.regions import are_unlike, have_same_integers, read_region
from filters.answers.kinds.stock_phrases import all_reals, compare_phrases
from filters.answers.kinds.times import compare_times
from filters.answers.kinds.tolerances import are_close
from filters.answers.kinds.units import letter_unit
from filters.answers.kinds.words import compare_words, is_prose, says_a_number
from filters.answers.matching import compare_containers
from filters.answers.statements import compare_statements
from filters.answers.verdicts import DEFAULT_RULE, AnswerRule, Verdict
from filters.answers.writing.notation import compact, tidy

__all__ = ["Outcome", "compare_exactly", "compare_tidy"]

MAX_LENGTH = 1000
MAX_DEPTH = 10

_COMMAND = re.compile(r"\\[a-zA-Z]+")
_BASED = re.compile(r"([0-9A-F]+)_(?:\{([0-9]+)\}|([0-9]))")
_INFINITY = re.compile(r"[+-]?\s*\\infty")
_BUILT = re.compile(r"\\\{\s*([a-zA-Z])\s*(?:\||:|\\mid(?![a-zA-Z]))\s*\1\s*\\in(?![a-zA-Z])\s*([^|]+)\\\}")
_WHOLE = frozenset("nmkNMK")  # letters that often stand for whole numbers
_TRIGONOMETRIC = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)(?![a-zA-Z])")
_DEGREES = re.compile(r"(?<=[0-9)}a-zA-Z])\s*degrees?(?![a-zA-Z])\s*(?![CF])")
_ROMAN = re.compile(r"[IVXLCDM]{2,}")
_OPEN_CHOICE = re.compile(r"^([A-Z])\)\s*(?=\S)(?![^(]*\))")
_SET_OPERATION = re.compile(r"\\(?:cup|cap|setminus|backslash)(?![a-zA-Z])")
# Letters after a number that may stand for thousands, millions, billions or degrees.
_OTHER_LETTERS = frozenset("kMBCF")
_SOLUTION = re.compile(r"(?:the )?solutions? (?:is|are)\s*:\s*(?=.*=)", re.IGNORECASE)
_BRACKETED = re.compile(r"\[([^\[\]]*=[^\[\]]*)\]")
_WITH_LETTER = re.compile(r"(.*[0-9.})])\s*([A-Za-z](?:\s*\^\s*\{?[23]\}?)?)", re.DOTALL)


def compare_exactly(answer: str, gold: str, rule: AnswerRule = DEFAULT_RULE) -> Outcome:
    """Compare two answers by strings, exact numbers, and values at a few points."""
    answer, gold = answer.strip(), gold.strip()
    if answer == gold:
        return Outcome(Verdict.EQUAL, "string")
    left_number, right_number = plain_number(answer), plain_number(gold)
    if left_number is not None and right_number is not None:
        return _of_values(left_number == right_number, answer, gold, rule, "number")
    if max(len(answer), len(gold)) > MAX_LENGTH:
        return Outcome(Verdict.UNPARSED, "guard")
    left, right = sorted((_read(answer), _read(gold)))
    if left and compact(left) == compact(right):
        return Outcome(Verdict.EQUAL, "string")
    if not left or not 0 <= max(depth_of(left), depth_of(right)) <= MAX_DEPTH:
        return Outcome(Verdict.UNPARSED, "guard")
    return _whole(left, right, rule)


@lru_cache(maxsize=4096)
def _read(answer: str) -> str:
    """An answer in normal form, with calls of plain numbers computed."""
    text = computed(tidy(answer))
    if built := _BUILT.fullmatch(text):
        text = built[2]
    text = _SOLUTION.sub("", text, count=1) if _SOLUTION.match(text) else text
    if bracketed := _BRACKETED.fullmatch(text):
        text = bracketed[1].strip()
    text = all_reals(text)
    if _TRIGONOMETRIC.search(text):
        text = _DEGREES.sub(r"\\degree ", text)
    return _OPEN_CHOICE.sub(r"(\1) ", text)


def compare_tidy(one: str, other: str, rule: AnswerRule) -> Outcome:
    """Compare two answers, or parts of them, in normal form."""
    left, right = sorted((one, other))
    left, right = (all_reals(side) for side in without_names(left, right))
    if compact(left) == compact(right):
        return Outcome(Verdict.EQUAL, "string")
    for tier in _TIERS:
        if outcome := tier(left, right, rule):
            return outcome
    return _values(left, right, rule)


def _whole(left: str, right: str, rule: AnswerRule) -> Outcome:
    """Compare two whole answers, also as statements and as formulas with a unit."""
    outcome = compare_tidy(left, right, rule)
    if outcome.verdict in (Verdict.UNPARSED, None):
        return compare_statements(left, right, rule, compare_tidy) or outcome
    return outcome


def _values(left: str, right: str, rule: AnswerRule) -> Outcome:
    if ("=" in left) != ("=" in right) or not _are_expressions(left, right):
        return Outcome(Verdict.UNPARSED, "value")
    if _ROMAN.fullmatch(left) and _ROMAN.fullmatch(right):
        return Outcome(Verdict.UNPARSED, "value")  # `IV` and `VI` may be numbers or products
    left_text, right_text = _without_separators(left), _without_separators(right)
    are_other = are_other_families(left, right)
    if are_other or (are_other is None and differ(left_text, right_text)):
        return _of_values(False, left_text, right_text, rule, "value")
    if are_other is False and differ(left_text, right_text) is not False:
        return Outcome(Verdict.UNPARSED, "value")  # constants of other names or multiples
    left_value, right_value = exact_value(left_text), exact_value(right_text)
    if left_value is not None and right_value is not None:
        return _of_values(left_value == right_value, left_text, right_text, rule, "rational")
    return Outcome(None, "symbolic", ((left, right),))


def _of_values(same: bool, left: str, right: str, rule: AnswerRule, tier: str) -> Outcome:
    """The outcome for two values; what the source's tolerance calls equal is equal."""
    if not same and rule.tolerance is not None and are_close(left, right, rule.tolerance):
        return Outcome(Verdict.EQUAL, "tolerance")
    return Outcome(Verdict.EQUAL if same else Verdict.DIFFERENT, tier)


def _are_expressions(left: str, right: str) -> bool:
    """Whether the letters on both sides are certainly variables: no words, no unit after a number."""
    ours, theirs = (_COMMAND.sub(" ", side) for side in (left, right))
    if set(filter(str.isalpha, ours)) == set(filter(str.isalpha, theirs)):
        return True
    if re.search("[a-zA-Z]{2}", ours + " " + theirs) and not (
        re.search("[a-zA-Z]", ours) and re.search("[a-zA-Z]", theirs)
    ):
        return False
    return not any(_ends_in_unit(side) for side in (left, right)) or not (parse_number(left) or parse_number(right))


def _ends_in_unit(text: str) -> bool:
    match = _WITH_LETTER.fullmatch(text)
    is_letter = match is not None and (letter_unit(match[2]) or match[2] in _OTHER_LETTERS)
    return is_letter and match is not None and parse_number(match[1]) is not None


def _without_separators(text: str) -> str:
    """A number as the value tier reads it, without separators or mixed fractions; other text unchanged."""
    value = parse_number(text)
    return text if value is None else f"({value.numerator})/({value.denominator})"


def _phrases(left: str, right: str, rule: AnswerRule) -> Outcome | None:
    verdict = compare_phrases(left, right, (parse_quantity(left), parse_quantity(right)))
    return Outcome(verdict, "words") if verdict else None


def _measured(left: str, right: str, rule: AnswerRule) -> Outcome | None:
    return compare_measured(left, right, rule, compare_tidy)


def _numbers(left: str, right: str, rule: AnswerRule) -> Outcome | None:
    ours, theirs = parse_quantity(left), parse_quantity(right)
    if ours and theirs:
        return _quantities(ours, theirs, rule)
    quantity, text, number = (ours, right, left) if ours else (theirs, left, right)
    if is_grouped(number) and parse_container(text):
        return None  # `60,180` against `60 and 180`
    if quantity and (comma_decimal(text) == quantity.value or in_lakhs(text) == quantity.value):
        return Outcome(Verdict.UNPARSED, "number")
    if quantity and is_prose(text) and read_choice(text) is None:
        # Prose around a value may state it; only a reader can tell.
        found = numbers_within(text)
        stated = {quantity.value, -quantity.value} & found or says_a_number(text)
        return Outcome(Verdict.UNPARSED if stated else Verdict.DIFFERENT, "number")
    return None


def _quantities(ours: Quantity, theirs: Quantity, rule: AnswerRule) -> Outcome:
    verdict = compare_quantities(ours, theirs, rule)
    if (
        verdict is Verdict.DIFFERENT
        and rule.tolerance is not None
        and (ours.unit == theirs.unit or not (ours.unit and theirs.unit))
    ):
        return _of_values(False, str(ours.value), str(theirs.value), rule, "number")
    return Outcome(verdict, "number")


def _times(left: str, right: str, rule: AnswerRule) -> Outcome | None:
    verdict = compare_times(left, right) or compare_ratios(left, right) or compare_congruences(left, right)
    return Outcome(verdict, "number") if verdict else None


def _approximate(left: str, right: str, rule: AnswerRule) -> Outcome | None:
    return compare_approximations(left, right, rule, compare_tidy)


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
    return compare_choices(left, right, rule, compare_tidy)


def _inequalities(left: str, right: str, rule: AnswerRule) -> Outcome | None:
    ours, theirs = interval_of(left), interval_of(right)
    listed = [
        None if side else interval_of(text.replace(",", " and ")) for text, side in ((left, ours), (right, theirs))
    ]
    if (listed[0] is None) != (listed[1] is None):
        # A comma between two conditions may mean `and` or `or`.
        ours, theirs = listed[0] or ours, listed[1] or theirs
        same = _regions(ours[1] if ours else left, theirs[1] if theirs else right)
        is_equal = same is not None and same.verdict is Verdict.EQUAL
        return Outcome(Verdict.EQUAL if is_equal else Verdict.UNPARSED, "container")
    if ours is None and theirs is None:
        return _regions(left, right) if _SET_OPERATION.search(left + right) else None
    if ours and theirs and ours[0] != theirs[0]:
        return Outcome(Verdict.UNPARSED, "container")
    left, right = (ours[1] if ours else left), (theirs[1] if theirs else right)
    outcome = _regions(left, right) or _containers(left, right, rule)
    if ours and theirs and ours[0] in _WHOLE and have_same_integers(left, right):
        return Outcome(Verdict.UNPARSED, "container")  # of whole numbers, `n < 6` is the same as `n <= 5`
    return outcome or Outcome(Verdict.UNPARSED, "container")


def _regions(left: str, right: str) -> Outcome | None:
    ours, theirs = read_region(left), read_region(right)
    if ours is None or theirs is None:
        return Outcome(Verdict.DIFFERENT, "container") if are_unlike(left, right) else None
    return Outcome(Verdict.EQUAL if ours == theirs else Verdict.DIFFERENT, "container")


def _containers(left: str, right: str, rule: AnswerRule) -> Outcome | None:
    return compare_containers(left, right, rule, compare_tidy)


def _words(left: str, right: str, rule: AnswerRule) -> Outcome | None:
    verdict = compare_words(left, right)
    return Outcome(verdict, "words") if verdict else None


_TIERS = (
    _approximate,
    _times,
    _phrases,
    _measured,
    _numbers,
    _infinite,
    _based,
    _choices,
    _inequalities,
    _containers,
    _words,
)
