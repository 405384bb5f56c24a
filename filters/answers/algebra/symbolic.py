r"""The last tier: two expressions are equal if sympy proves that their difference is zero, and otherwise undecided.

`decide` runs in a worker process that its owner may kill at any moment; the owner calls `admits` first.
"""

import re
from typing import Any

from filters.answers.algebra.algebra import are_proportional, is_proven_zero, sympy_of
from filters.answers.algebra.expressions import MAX_LENGTH, Expression, differ_in_case, difference, parse
from filters.answers.algebra.tokens import CannotEvaluate
from filters.answers.algebra.zeros import settle
from filters.answers.verdicts import Verdict

MAX_DIGITS = 40
MAX_EXPONENT = 1000
MAX_FACTORIAL = 200
MAX_BITS = 100_000

_TOWER = re.compile(r"\^\s*(?:\{[^{}]*\^|\{[^{}]*\{[^{}]*\^|\(|[0-9a-zA-Z]+\s*\^)")
_DIGITS = re.compile(r"[0-9]+")
_EXPONENT = re.compile(r"\^\s*\{?\s*[-+]?\s*([0-9]+)")
_FACTORIAL = re.compile(r"!")
_OF_NUMBER = re.compile(r"(?<![0-9.])([0-9]{1,3})\s*!(?!\s*!)")
_OF_LETTER = re.compile(r"(?:[a-zA-Z]|\([^()!^]*[a-zA-Z][^()!^]*\))\s*!(?!\s*!)")
_LARGE_CHOICE = re.compile(r"\\binom\s*\{?\s*[0-9]{4}")
_FAR = 1e-20
_DIGITS_SHOWN = 40
_POINTS = ((37, 23), (113, 71))


def admits(text: str) -> bool:
    """Whether a tidy text is in the grammar and safe to compute with: no power towers, no huge factorials."""
    if not text or len(text) > MAX_LENGTH or text.count("=") > 1:
        return False
    if _TOWER.search(text) or _LARGE_CHOICE.search(text):
        return False
    if any(len(digits) > MAX_DIGITS for digits in _DIGITS.findall(text)):
        return False
    if any(int(exponent) > MAX_EXPONENT for exponent in _EXPONENT.findall(text)):
        return False
    small = [n for n in _OF_NUMBER.findall(text) if int(n) <= MAX_FACTORIAL]
    if len(_FACTORIAL.findall(text)) != len(small) + len(_OF_LETTER.findall(text)):
        return False
    try:
        _tree(text)
    except CannotEvaluate:
        return False
    return True


def decide(answer: str, gold: str, cpu_seconds: int) -> Verdict:
    """Compare two admitted expressions; the kernel kills a process that computes longer than `cpu_seconds`."""
    _limit_cpu(cpu_seconds)
    verdict = settle(answer, gold, MAX_BITS)
    if verdict is not None:
        return verdict
    try:
        trees = _tree(answer), _tree(gold)
        ours, theirs = map(sympy_of, trees)
    except (CannotEvaluate, KeyError):
        return Verdict.UNPARSED
    if "=" in gold:
        return Verdict.EQUAL if are_proportional(ours, theirs) else Verdict.UNPARSED
    if _differ_somewhere(ours, theirs):
        # A logarithm without a base may have the one that makes both equal.
        is_open = r"\log" in answer + gold or differ_in_case(*trees)
        return Verdict.UNPARSED if is_open else Verdict.DIFFERENT
    return Verdict.EQUAL if is_proven_zero(ours - theirs) else Verdict.UNPARSED


def _limit_cpu(seconds: int) -> None:
    # The owner's time-out is gone if the owner is killed; the kernel's limit still holds.
    import resource
    import time

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + seconds + 2, hard))


def _tree(text: str) -> Expression:
    """The tree of an expression; of an equation, left side minus right side."""
    left, equals, right = text.partition("=")
    return difference(parse(left), parse(right)) if equals else parse(text)


def _differ_somewhere(ours: Any, theirs: Any) -> bool:
    """Whether the values are far apart at a point where both have one, computed to many digits."""
    from sympy import Rational

    symbols = sorted(ours.free_symbols | theirs.free_symbols, key=str)
    for above, below in _POINTS:
        point = {symbol: Rational(above + 7 * place, below + 3 * place * place) for place, symbol in enumerate(symbols)}
        left, right = (side.evalf(_DIGITS_SHOWN, subs=point) for side in (ours, theirs))
        if not all(value.is_number and value.is_finite for value in (left, right)):
            continue
        gap = abs((left - right).evalf(_DIGITS_SHOWN))
        if gap > _FAR * max(abs(left), abs(right)):
            return True
    return False
